"""Who may do what, asked at every address there is; see policy.toml."""
