"""Right answers to the exercises that come about in another way than the package's.

A module for each notebook, in which ALTERNATIVES has an entry for each exercise.
"""

import importlib
import pkgutil

ALTERNATIVES = {}
for module in pkgutil.iter_modules(__path__, __name__ + "."):  # notebook_00, notebook_01, ...
    ALTERNATIVES |= importlib.import_module(module.name).ALTERNATIVES
