"""Our own check of a database URL against libpq's."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from psycopg import ProgrammingError, pq
from psycopg.conninfo import conninfo_to_dict

from edge_assets.core.postgres_parameters import PARAMETERS, are_parameters
from edge_assets.core.settings_input import normalize_postgres_url

names = st.sampled_from(["sslmode", "ssl%6Dode", "SSLMODE", "host", "options", "w", "", "ssl", "\u00e9", "%C3%A9"])
separators = st.sampled_from(["=", "=", "=", "&", "&", "", "==", "&&", ";"])
values = st.sampled_from(["require", "", "a%20b", "%3D", "%26", "/x", "[::1]", ",", "\u00e9"])
queries = st.lists(st.tuples(names, separators, values, separators).map("".join), max_size=4).map("".join)


def libpq_takes(url: str) -> bool:
    try:
        conninfo_to_dict(url)
    except ProgrammingError:
        return False
    return True


def test_the_list_is_that_of_the_installed_libpq() -> None:
    installed = {option.keyword.decode() for option in pq.Conninfo.get_defaults()}
    assert installed == PARAMETERS, (
        f"libpq {pq.version()} takes other parameters than edge_assets/core/postgres_parameters.py lists: "
        f"add {sorted(installed - PARAMETERS)}, remove {sorted(PARAMETERS - installed)}"
    )


@given(query=queries)
@example("")
@example("&")
@example("sslmode=require&")
@example("sslmode=require&&host=h")
@example("sslmode=a=b")
def test_parameters_are_taken_as_libpq_takes_them(query: str) -> None:
    if not re.search(r"(?:^|&)ssl=true", query):  # the one value that libpq rewrites, as our settings do before
        assert are_parameters(query) == libpq_takes(f"postgresql://u:p@h:1/d?{query}")


@given(
    login=st.sampled_from(["", "u@", "u:p@", "u:p/w@", "u:p?w=1@", "u:p&w=@x@"]),
    place=st.sampled_from(["", "h", "h:1", "[::1]", "[::1]:5", "[", "[]", "h,i", "a%20b", ":5", "/run"]),
    path=st.sampled_from(["", "/", "/d", "/d/e", "/%41"]),
    query=queries.map("?{}".format) | st.just(""),
)
def test_libpq_takes_every_url_that_the_settings_take(login: str, place: str, path: str, query: str) -> None:
    try:
        url = normalize_postgres_url(f"postgres://{login}{place}{path}{query}")
    except ValueError:
        return
    assert libpq_takes(url)


@pytest.mark.parametrize("end", ["w=Sup3rSecret", "Sup3rSecret", "sslmode=x=Sup3rSecret"])
def test_what_is_refused_is_not_repeated(end: str) -> None:
    with pytest.raises(ValueError, match="PostgreSQL does not know") as caught:
        normalize_postgres_url(f"postgresql://db/odds?password=a&{end}")
    assert "Sup3rSecret" not in str(caught.value)
    assert caught.value.__context__ is None
