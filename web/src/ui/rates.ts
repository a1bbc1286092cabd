/** What a dollar is in won, for showing amounts that are billed in dollars: a figure of one day, named beside it.
 * Source: European Central Bank, euro foreign exchange reference rates of that day (1,555.69 KRW / 1.1367 USD). */
export const WON_PER_DOLLAR = { rate: 1555.69 / 1.1367, day: "2026-09-24" };
