/** What a dollar is in won, for showing amounts that are billed in dollars: a figure of one day, named beside it.
 * Source: European Central Bank, euro foreign exchange reference rates of that day (1,412.83 KRW / 1.0777 USD). */
export const WON_PER_DOLLAR = { rate: 1412.83 / 1.0777, day: "2023-12-08" };
