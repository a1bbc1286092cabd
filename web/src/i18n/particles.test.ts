import { expect, test } from "vitest";
import { type Particle, withParticle } from "./particles";

test.each<[string, Particle, string]>([
  ["가게", "이/가", "가게가"],
  ["알림", "이/가", "알림이"],
  ["서울", "으로/로", "서울로"],
  ["슬랙", "으로/로", "슬랙으로"],
  ["이메일", "을/를", "이메일을"],
  ["가격 3", "은/는", "가격 3은"],
  ["가격 2", "은/는", "가격 2는"],
  ["버전 7", "으로/로", "버전 7로"],
  ["버전 6", "으로/로", "버전 6으로"],
  ["API", "을/를", "API를"],
  ["URL", "을/를", "URL을"],
  ["Slack", "이/가", "Slack이"],
  ["Notion", "은/는", "Notion은"],
  ["server", "이/가", "server가"],
  ["새 상품 (연습)", "이/가", "새 상품 (연습)이"],
  ["", "이/가", "가"],
])("%s takes the right particle of %s", (word, pair, expected) => {
  expect(withParticle(word, pair)).toBe(expected);
});
