"""What we use of other projects that they do not promise to keep: each name in one place.

A module for each project, because whoever needs one must not load the others. Every name that is imported here, and
every signature and attribute that is relied on, is checked by `tests/edge_assets/private_interfaces`, which says after
an upgrade what is gone and where to look.
"""
