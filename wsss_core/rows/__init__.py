"""The wiring rows of the graph (`stages/rows.yaml`): which store feeds which run.

Numbers are written by hand in `params.yaml`; `graph.make_rows` turns its section `rows` into rows, so that adding a
round, a seed or the ablations is one word. A row reaches a stage only through its command line and its dependencies.
Every method has a file here that says what its rows are.
"""
