"""One file per kind of service-level indicator; the file's stem is the `sli` of an objective."""
