"""Names made from places and settings, whatever those are."""

from pathlib import Path

from hypothesis import assume, given
from hypothesis import strategies as st

from evalkit.reading.decodings import inline_decoding
from evalkit.reading.drafts import NAME, name_of
from evalkit.reading.locations import Location
from evalkit.reading.places import Place
from evalkit.reading.target_schema import TargetEntry, short_form
from evalkit.target import Decoding

PARTS = st.lists(st.text(min_size=1, max_size=8).filter(lambda part: "/" not in part and "\0" not in part), min_size=1)
WORDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,8}", fullmatch=True)


@given(parts=PARTS, width=st.integers(1, 9), revision=st.none() | st.text(max_size=5))
def test_every_place_gives_a_name_that_fits_a_label(parts, width, revision):
    """No path, however odd, breaks a label or -k."""
    location = Location("/" + "/".join(parts), True, "x", revision)

    assert NAME.fullmatch(name_of(location, width))


@given(names=st.lists(WORDS, min_size=1, max_size=3), rest=st.lists(WORDS, max_size=3))
def test_a_short_form_holds_what_was_joined(names, rest):
    """Model, adapters and the later parts come back as written."""
    assume("none" not in names)

    entry = TargetEntry.model_validate(short_form(":".join(["+".join(names), *rest])))

    assert [entry.model, *entry.adapter] == names
    assert [part for part in (entry.quantisation, entry.condition, entry.decoding) if part is not None] == rest


@given(
    temperature=st.floats(0.01, 5).map(lambda value: round(value, 3)),
    top_k=st.integers(0, 500),
    order=st.permutations([0, 1]),
)
def test_equal_settings_have_one_name_in_any_order(temperature, top_k, order):
    """The name of an inline decoding says its settings, and nothing else."""
    parts = [f"temperature={temperature}", f"top_k={top_k}"]

    named = inline_decoding(",".join(parts[index] for index in order), Place("--eval-decoding"))

    assert named.name == f"t{temperature:g}-k{top_k}"
    assert NAME.fullmatch(named.name)
    assert Decoding().changed(named.settings) == Decoding(temperature=temperature, top_k=top_k)


def test_a_relative_place_is_named_after_its_real_folder(tmp_path, monkeypatch):
    """A dot is no name."""
    (tmp_path / "final").mkdir()
    monkeypatch.chdir(tmp_path / "final")

    assert name_of(Location(str(Path.cwd()), True, ".")) == "final"
