/** A plan for tests: three shops are read, a report goes to Slack. */
import type { Plan } from "../../api/shapes";

const rule = (path: string) => ({
  host: "shop.example.com",
  port: 443,
  scheme: "https" as const,
  path,
  exact: false,
  methods: [],
  effect: "read" as const,
  why: "새 상품을 읽어요",
});

export function samplePlan(change: Partial<Plan> = {}): Plan {
  return {
    id: "plan_1",
    workspace_id: "w",
    conversation_id: "conv_1",
    agent_id: "agent_1",
    version_id: "ver_1",
    status: "proposed",
    manifest_hash: "f".repeat(64),
    summary: "세 가게의 새 상품을 슬랙으로 보고해요",
    steps: ["가게를 읽어요", "새 상품을 골라요"],
    packages: [{ name: "requests", why: "페이지를 읽어요" }],
    schedule_words: "매일 09:00 · 서울",
    next_firings: ["2026-11-23T00:00:00Z"],
    estimate: {
      seconds_per_run: 3,
      tokens_per_run: 0,
      tokens_build: 0,
      cost_usd_micros_per_month: 0,
      cost_usd_micros_build: 0,
      tokens_per_month: 0,
      priced: true,
    },
    found: [],
    wont: [],
    author_words: null,
    findings: [],
    new_rows: null,
    created_at: "2026-11-22T20:00:00Z",
    agent_file: {
      agent: { name: "새 상품 알림", summary: "", language: "ko", packages: ["requests"] },
      schedule: {
        cron: "0 9 * * *",
        timezone: "Asia/Seoul",
        missed: "once",
        overlap: "skip",
        holidays: null,
        on_holiday: null,
        until: null,
        pause_until: null,
      },
      manifest: {
        hosts: [
          rule("/a"),
          rule("/b"),
          { ...rule("/orders"), host: "api.example.com", effect: "write", methods: ["POST"] },
        ],
        secrets: [{ name: "API_KEY", host: "api.example.com", why: "주문을 넣어요" }],
        channels: [{ kind: "slack", secret: "SLACK_WEBHOOK_URL", to: null, why: "보고해요" }],
        state: true,
        tape: "full",
        tokens: { per_run: 0, per_day: 0 },
        limits: { wall_s: 300, memory_mb: 512, disk_mb: 256, processes: 64 },
      },
      contract: [],
    },
    ...change,
  };
}
