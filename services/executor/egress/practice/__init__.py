"""The practice host: small Korean shops and tables from files, so that everything works offline."""
