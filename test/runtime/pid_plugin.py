"""A worker's method that gives its process id."""

import os

METHODS = {"pid": lambda params, tensors: (os.getpid(), [])}
