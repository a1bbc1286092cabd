/** What a plan asks for, as rows grouped by consequence. Everything the approved hash covers appears. */
import type { TFunction } from "i18next";
import type { HostRule, Plan } from "../../api/shapes";
import type { IconName } from "../../ui/icon";

export type Consequence = "read" | "send" | "remember" | "spend" | "when" | "check" | "packages";

export interface Row {
  key: string;
  icon: IconName;
  what: string;
  detail?: string;
  why: string;
  isNew: boolean;
  /** Places on one host, each with its reason. */
  parts?: { path: string; why: string; methods: string }[];
}
export interface SecretField {
  name: string;
  host: string;
  why: string;
}
export const ORDER: Consequence[] = ["read", "send", "remember", "spend", "when", "check", "packages"];

function origin(rule: HostRule): string {
  const usual = rule.scheme === "https" ? 443 : 80;
  return `${rule.scheme === "http" ? "http://" : ""}${rule.host}${rule.port === usual ? "" : `:${rule.port}`}`;
}

/** One row for each host; with several places on it, they are its parts. */
function hostRows(
  rules: HostRule[],
  t: TFunction,
  make: (key: string, icon: IconName, what: string, why: string) => Row,
): Row[] {
  const byOrigin = new Map<string, HostRule[]>();
  for (const rule of rules) byOrigin.set(origin(rule), [...(byOrigin.get(origin(rule)) ?? []), rule]);
  return [...byOrigin].map(([where, places]) => {
    const icon = places[0]?.effect === "write" ? "send" : "eye";
    const parts = places.map(({ path, exact, why, methods }) => ({
      path: (path || "/") + (exact ? ` (${t("sheet.exact")})` : ""),
      why,
      methods: methods.join(", "),
    }));
    const only = parts.length === 1 ? parts[0] : undefined;
    if (only) {
      const row = make(`host:${where}`, icon, where + (only.path === "/" ? "" : only.path), only.why);
      return only.methods ? { ...row, detail: only.methods } : row;
    }
    return { ...make(`host:${where}`, icon, where, ""), parts };
  });
}

export function rowsOf(plan: Plan, t: TFunction): Record<Consequence, Row[]> {
  const { manifest, contract, agent } = plan.agent_file;
  const fresh = plan.new_rows;
  const row = (key: string, icon: IconName, what: string, why: string, detail?: string): Row => ({
    key,
    icon,
    what,
    why,
    isNew: fresh?.some((each) => each.includes(key.slice(key.indexOf(":") + 1))) ?? false,
    ...(detail ? { detail } : {}),
  });
  const channelSecrets = new Set(manifest.channels.map((channel) => channel.secret));
  const read = hostRows(
    manifest.hosts.filter((rule) => rule.effect === "read"),
    t,
    row,
  );
  for (const secret of manifest.secrets.filter((use) => !channelSecrets.has(use.name))) {
    read.push(
      row(`secret:${secret.name}`, "key", secret.name, secret.why, t("sheet.onlyTo", { host: secret.host })),
    );
  }
  const send = manifest.channels.map((channel) =>
    row(
      `channel:${channel.kind}`,
      channel.kind === "inbox" ? "inbox" : channel.kind === "email" ? "mail" : "send",
      t(`channel.${channel.kind}`),
      channel.why || t(`sheet.channelWhy.${channel.kind}`),
      channel.to ?? undefined,
    ),
  );
  const writes = manifest.hosts.filter((rule) => rule.effect === "write");
  send.push(...hostRows(writes, t, row));
  return {
    read,
    send,
    remember: [
      manifest.state
        ? row("state", "memory", t("sheet.state"), t("sheet.stateWhy"))
        : row("no-state", "memory", t("sheet.noState"), ""),
      row(
        `tape:${manifest.tape}`,
        "eye",
        t(`sheet.tape.${manifest.tape}`),
        manifest.tape === "off" ? "" : t("sheet.tapeWhy"),
      ),
    ],
    spend: spending(plan, t, row),
    when: [
      row(
        "schedule",
        "clock",
        plan.schedule_words ?? t("plan.byHand"),
        plan.agent_file.schedule
          ? `${t(`sheet.missed.${plan.agent_file.schedule.missed}`)} ${t(`sheet.overlap.${plan.agent_file.schedule.overlap}`)}`
          : t("sheet.byHandWhy"),
      ),
    ],
    check: contract.map((check, index) => row(`check:${index}:${check.says}`, "check", check.says, "")),
    packages: agent.packages.map((name) =>
      row(
        `package:${name}`,
        "package",
        name,
        plan.packages.find((wish) => wish.name === name || name.startsWith(wish.name))?.why ?? "",
      ),
    ),
  };
}

function spending(
  plan: Plan,
  t: TFunction,
  row: (key: string, icon: IconName, what: string, why: string) => Row,
): Row[] {
  const { tokens, limits } = plan.agent_file.manifest;
  const money =
    tokens.per_run === 0 && tokens.per_day === 0
      ? row("tokens", "coin", t("sheet.noTokens"), t("sheet.noTokensWhy"))
      : row(
          "tokens",
          "coin",
          t("sheet.tokens", { run: tokens.per_run, day: tokens.per_day }),
          t("sheet.tokensWhy"),
        );
  const minutes = Math.max(1, Math.round(limits.wall_s / 60));
  return [
    money,
    row(
      "limits",
      "clock",
      t("sheet.limits", { minutes }),
      t("sheet.limitsWhy", { memory: limits.memory_mb, disk: limits.disk_mb }),
    ),
  ];
}

/** Secrets the person types: those the code uses, and those a channel needs (its own address). */
export function secretsOf(plan: Plan): SecretField[] {
  const { secrets, channels } = plan.agent_file.manifest;
  const fields = new Map<string, SecretField>();
  for (const use of secrets) fields.set(use.name, { name: use.name, host: use.host, why: use.why });
  for (const channel of channels) {
    if (channel.secret && !fields.has(channel.secret)) {
      fields.set(channel.secret, {
        name: channel.secret,
        host: channel.kind === "slack" ? "hooks.slack.com" : "",
        why: channel.why,
      });
    }
  }
  return [...fields.values()];
}
