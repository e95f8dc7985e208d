"""The schemas of policy files (judges/<name>.yaml), one file for each kind of judge."""
