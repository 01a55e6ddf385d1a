"""Loads xenarc artifacts and runs them: trains, generates, evaluates, saves checkpoints.

The package holds no model code and does no tensor arithmetic of its own: an artifact's programs do that.
`pjrt.py` alone touches jaxlib's unstable API. Run it as `python -m xenarc_runtime COMMAND`; no Node is needed.
"""
