"""Documents. `port` says what a store promises."""
