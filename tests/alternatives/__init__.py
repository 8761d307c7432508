"""Right answers to the exercises that come about in another way than the package's, and wrong ones
that look right.

A module for each notebook, in which ALTERNATIVES has an entry for each exercise. WRONG has
{exercise: {what is wrong: function}}, slips that people make beside those that have a sentence.
"""

import importlib
import pkgutil

ALTERNATIVES, WRONG = {}, {}
for module in pkgutil.iter_modules(__path__, __name__ + "."):  # notebook_00, notebook_01, ...
    found = importlib.import_module(module.name)
    ALTERNATIVES |= found.ALTERNATIVES
    WRONG |= getattr(found, "WRONG", {})
