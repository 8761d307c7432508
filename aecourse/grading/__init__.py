"""How collected notebooks are graded: `cells` takes the learner's exercises out of a notebook,
`sandbox` shuts a process in, `judge` runs the exercises in it, and `report` writes down the result.
"""
