"""The configuration: one TOML file, one frozen dataclass, the versions that results depend on."""
