/** The fields of a plan that a person may change. */
import { useId } from "react";
import { useTranslation } from "react-i18next";
import type { Check, Schedule } from "../../api/shapes";
import { IconButton } from "../../ui/button";
import { Planned, useCity } from "../../ui/time";
import { cronOf, type Weekly, weeklyOf } from "./weekly";

export function When({
  schedule,
  firings,
  onChange,
}: {
  schedule: Schedule;
  firings: readonly string[];
  onChange: (schedule: Schedule) => void;
}) {
  const { t, i18n } = useTranslation();
  const city = useCity();
  const base = useId();
  const weekly = weeklyOf(schedule.cron);
  const change = (next: Weekly) => onChange({ ...schedule, cron: cronOf(next) });
  const dayName = (day: number) =>
    new Intl.DateTimeFormat(i18n.language, { weekday: "short", timeZone: "UTC" }).format(
      new Date(Date.UTC(2023, 0, 1 + day)), // a Sunday
    );
  return (
    <>
      {weekly && (
        <div className="edit-when">
          <fieldset className="edit-days">
            <legend>{t("edit.days")}</legend>
            {[1, 2, 3, 4, 5, 6, 0].map((day) => {
              const on = weekly.days.length === 0 || weekly.days.includes(day);
              const chosen = weekly.days.length === 0 ? [0, 1, 2, 3, 4, 5, 6] : weekly.days;
              const next = on ? chosen.filter((each) => each !== day) : [...chosen, day];
              return (
                <label key={day} className="choice" data-chosen={on}>
                  <input
                    type="checkbox"
                    checked={on}
                    disabled={on && chosen.length === 1}
                    onChange={() => change({ ...weekly, days: next })}
                  />
                  <span>{dayName(day)}</span>
                </label>
              );
            })}
          </fieldset>
          <div className="field">
            <label htmlFor={`${base}-time`}>{t("edit.time", { city: city(schedule.timezone) })}</label>
            <input
              id={`${base}-time`}
              className="input"
              type="time"
              required
              value={weekly.time}
              onChange={(event) => event.target.value && change({ ...weekly, time: event.target.value })}
            />
          </div>
        </div>
      )}
      <details open={!weekly}>
        <summary>{t("edit.cron")}</summary>
        <input
          className="input"
          aria-label={t("edit.cron")}
          spellCheck={false}
          value={schedule.cron}
          onChange={(event) => onChange({ ...schedule, cron: event.target.value })}
        />
      </details>
      {firings.length > 0 && (
        <div className="edit-firings">
          <p className="soft">{t("edit.firings")}</p>
          <ol>
            {firings.slice(0, 5).map((at) => (
              <li key={at}>
                <Planned at={at} zone={schedule.timezone} />
              </li>
            ))}
          </ol>
        </div>
      )}
    </>
  );
}

export function Amount({
  label,
  value,
  onChange,
}: {
  label: string;
  value: number;
  onChange: (value: number) => void;
}) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        className="input"
        type="number"
        min={0}
        value={value}
        onChange={(event) => onChange(Math.max(0, Number(event.target.value) || 0))}
      />
    </div>
  );
}

export function Promises({
  contract,
  onChange,
}: {
  contract: Check[];
  onChange: (contract: Check[]) => void;
}) {
  const { t } = useTranslation();
  const put = (at: number, check: Check) =>
    onChange(contract.map((each, index) => (index === at ? check : each)));
  return (
    <ul className="edit-promises">
      {contract.map((check, index) => (
        <li key={index}>
          <p>{check.says}</p>
          <div className="edit-bounds">
            {check.min !== null && (
              <Amount
                label={t("edit.atLeast")}
                value={check.min}
                onChange={(min) => put(index, { ...check, min })}
              />
            )}
            {check.max !== null && (
              <Amount
                label={t("edit.atMost")}
                value={check.max}
                onChange={(max) => put(index, { ...check, max })}
              />
            )}
            <IconButton
              icon="cross"
              label={t("edit.remove", { says: check.says })}
              disabled={contract.length === 1}
              onClick={() => onChange(contract.filter((_, at) => at !== index))}
            />
          </div>
        </li>
      ))}
    </ul>
  );
}
