"""The security review before an app is deployed: what its texts give away, and what its packages are known for."""
