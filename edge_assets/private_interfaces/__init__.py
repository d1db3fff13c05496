"""Private interfaces of other projects that we use: each name in one place.

One module per project, so that using one does not import the others. `tests/edge_assets/private_interfaces` checks
every name that is imported here, and every signature and attribute that is relied on. After an upgrade it reports what
is gone and where to fix it.
"""
