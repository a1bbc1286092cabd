interface Props {
  on: boolean;
  label: string;
  onChange: (on: boolean) => void;
  disabled?: boolean;
}

export function Switch({ on, label, onChange, disabled = false }: Props) {
  return (
    <button
      type="button"
      role="switch"
      aria-checked={on}
      aria-label={label}
      title={label}
      disabled={disabled}
      className="switch"
      onClick={() => onChange(!on)}
    >
      <span />
    </button>
  );
}
