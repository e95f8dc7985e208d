"""What targets.yaml may say, and the sentence for each mistake in it."""

from dataclasses import fields

import pytest

from evalkit.engines.table import CREATORS
from evalkit.errors import UnreadableFile
from evalkit.reading.engine_settings import ENGINE_KINDS
from evalkit.reading.target_axes import RECORDINGS
from evalkit.reading.target_schema import DecodingEntry
from evalkit.reading.targets import read_targets
from evalkit.target import Condition, Decoding, Engine, Quantisation
from evalkit.workspace import Workspace, builtin_root


def test_every_section_is_read(scratch):
    """One of everything, each in its own notation."""
    scratch.model("models/own")
    scratch.adapter("adapters/a", "models/own")
    scratch.adapter("adapters/b", "models/own")
    scratch.write("fixtures/conditions/kernel.txt", "Be brief.\n")
    scratch.declare("""
models:
  own: {path: models/own, trust_remote_code: true, decoding: {max_new_tokens: 64, temperature: 0.5}}
adapters:
  a: {path: adapters/a}
  b: {path: adapters/b}
quantisations:
  double: {kind: nf4, compute_dtype: bf16, double_quant: true}
  int8: {int8_threshold: 4}
conditions:
  kernel: {file: fixtures/conditions/kernel.txt}
  short: {system: Be brief.}
decodings:
  warm: {temperature: 0.8, top_p: 0.9, top_k: 40, min_p: 0.05, repetition_penalty: 1.1, stop: END, seed: 7}
engines:
  small: {kind: local, batch_tokens: 512, max_batch_rows: 2, threads: 1, device: cpu}
targets:
  night: {model: own, adapter: [a, b], quantisation: double, condition: kernel, decoding: warm, engine: small}
default:
  - night
  - {model: own, adapter: a, quantisation: int8, condition: short, role: reference}
  - own
""")

    night, reference, plain = scratch.resolve()

    assert night.label == "own+a+b:double:kernel:warm"
    assert night.model.trust_remote_code
    assert night.quantisation == Quantisation("double", "nf4", "bf16", True)
    assert night.condition == Condition("kernel", "Be brief.", "fixtures/conditions/kernel.txt")
    assert night.decoding == Decoding(0.8, 0.9, 40, 0.05, 1.1, 64, ("END",), 7)
    assert night.engine == Engine(
        "small", "local", (("batch_tokens", 512), ("device", "cpu"), ("max_batch_rows", 2), ("threads", 1))
    )
    assert reference.quantisation == Quantisation("int8", "int8", int8_threshold=4.0)
    assert (reference.role, reference.condition.system) == ("reference", "Be brief.")
    assert plain.label == "own:bf16:naked:greedy"
    assert plain.decoding == Decoding(max_new_tokens=64)
    assert scratch.labels(targets=("night",)) == [night.label]


def test_an_included_file_comes_first_and_the_including_one_wins(scratch):
    """Names add up; the default and a name declared twice are those of the including file; gates of both are read."""
    scratch.model("one")
    scratch.model("two")
    scratch.write("fixtures/gates.yaml")
    scratch.write("fixtures/other-gates.yaml")
    scratch.write(
        "fixtures/base.yaml",
        "models: {m: {path: one}, n: {path: one}}\ndefault: [m]\ngates: [fixtures/other-gates.yaml]\n",
    )
    scratch.declare(
        "include: [fixtures/base.yaml]\nmodels: {m: {path: two}}\ndefault: [n, m]\ngates: [fixtures/gates.yaml]\n"
    )

    table = read_targets(scratch.workspace)

    assert [target.model.shown for target in scratch.resolve()] == ["one", "two"]
    assert table.gate_files == (scratch.root / "fixtures/other-gates.yaml", scratch.root / "fixtures/gates.yaml")


def test_without_a_file_evalkits_own_demo_is_the_default(scratch):
    """A fresh folder with only a suite in it runs the demo, from wherever evalkit is installed."""
    assert [(target.label, target.model.is_demo, target.role) for target in scratch.resolve(engine="replay")] == [
        ("demo:nf4:naked:greedy", True, "reference"),
        ("demo+steady:nf4:naked:greedy", True, "subject"),
        ("demo+eager:nf4:naked:greedy", True, "reference"),
        ("demo+looping:nf4:naked:greedy", True, "reference"),
    ]


def test_the_repositorys_conditions_are_read(scratch):
    """authority and medium are two short prompts; naked needs none."""
    targets = scratch.resolve(targets=("demo",), conditions=("naked", "authority", "medium"), engine="replay")

    assert [target.condition.system is None for target in targets] == [True, False, False]
    assert targets[1].condition.system.startswith("You decide.")
    assert targets[2].condition.system.startswith("You are a window, not a judge.")


def test_the_demo_answers_are_short_in_every_decoding(scratch):
    """The demo model's own limit holds whatever decoding is chosen, unless that says otherwise."""
    targets = scratch.resolve(
        targets=("demo",), decodings=("greedy", "temperature=0.8", "max_new_tokens=16"), engine="replay"
    )

    assert [target.decoding.max_new_tokens for target in targets] == [128, 128, 16]


def test_the_notation_covers_every_setting_of_a_decoding():
    """A field added to the noun must be added to the file's schema."""
    assert set(DecodingEntry.model_fields) == {field.name for field in fields(Decoding)}


def test_the_engines_that_can_be_declared_are_those_there_are():
    """Reading keeps its own list so that it imports no engine."""
    assert set(ENGINE_KINDS) == set(CREATORS)
    assert RECORDINGS == "fixtures/recordings"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("modles: {}\n", "fixtures/targets.yaml:1: $.modles: unknown key 'modles'. Did you mean 'models'?"),
        (
            "quantizations: {}\n",
            "fixtures/targets.yaml:1: $.quantizations: unknown key 'quantizations'. Did you mean 'quantisations'?",
        ),
        (
            "models:\n  a: {}\n",
            "fixtures/targets.yaml:2: $.models.a: expected path (a folder), hub (an id on the hub) or id "
            "(a server's), found none of them.",
        ),
        (
            "models:\n  a: {path: x, hub: y/z}\n",
            "fixtures/targets.yaml:2: $.models.a: expected path (a folder), hub (an id on the hub) or id "
            "(a server's), found path and hub.",
        ),
        (
            "models:\n  a:\n    hub: gemma\n",
            "fixtures/targets.yaml:3: $.models.a.hub: expected a hub id such as org/name, found 'gemma'. "
            "Write a folder as path.",
        ),
        (
            "models:\n  a:\n    path: x\n    revision: main\n",
            "fixtures/targets.yaml:4: $.models.a.revision: a folder has no revision. Take this line out.",
        ),
        (
            "models:\n  a+b: {path: x}\n",
            "fixtures/targets.yaml:2: $.models['a+b']: 'a+b' is no name: a label needs letters, digits, '.', '_' "
            "and '-', a letter or digit first.",
        ),
        (
            "models:\n  a: {path: x, decoding: {temperature: -1}}\n",
            "fixtures/targets.yaml:2: $.models.a.decoding.temperature: "
            "expected a number of 0 (greedy) or more, found -1.0.",
        ),
        (
            "adapters:\n  none: {path: x}\n",
            "fixtures/targets.yaml:2: $.adapters.none: 'none' is built in and cannot be declared. Choose another name.",
        ),
        (
            "conditions:\n  naked: {system: x}\n",
            "fixtures/targets.yaml:2: $.conditions.naked: 'naked' is built in and cannot be declared. "
            "Choose another name.",
        ),
        (
            "conditions:\n  a: {}\n",
            "fixtures/targets.yaml:2: $.conditions.a: expected file or system (its text), found neither.",
        ),
        (
            "conditions:\n  a: {system: ' '}\n",
            "fixtures/targets.yaml:2: $.conditions.a.system: expected a system prompt, found an empty text.",
        ),
        (
            "conditions:\n  a: {file: ../secret.txt}\n",
            "fixtures/targets.yaml:2: $.conditions.a.file: expected a file inside the workspace, "
            "found '../secret.txt'. Copy it under fixtures/.",
        ),
        (
            "conditions:\n  a: {file: fixtures/gone.txt}\n",
            "fixtures/targets.yaml:2: $.conditions.a.file: no file fixtures/gone.txt in the workspace. "
            "Paths start at the folder that holds suites/.",
        ),
        (
            "quantisations:\n  a: {}\n",
            "fixtures/targets.yaml:2: $.quantisations.a: kind is missing. Add one of fp32, bf16, fp16, nf4, fp4, int8.",
        ),
        (
            "quantisations:\n  a: {kind: nf5}\n",
            "fixtures/targets.yaml:2: $.quantisations.a.kind: expected one of fp32, bf16, fp16, nf4, fp4, int8; "
            "found 'nf5'. Did you mean 'nf4'?",
        ),
        (
            "quantisations:\n  nf4: {kind: int8}\n",
            "fixtures/targets.yaml:2: $.quantisations.nf4: 'nf4' is built in and cannot be of kind 'int8'. "
            "Choose another name.",
        ),
        (
            "quantisations:\n  a: {kind: int8, double_quant: true}\n",
            "fixtures/targets.yaml:2: $.quantisations.a.double_quant: has no effect on int8; it is for nf4, fp4. "
            "Take this line out.",
        ),
        (
            "quantisations:\n  a: {kind: int8, int8_threshold: -1}\n",
            "fixtures/targets.yaml:2: $.quantisations.a.int8_threshold: expected 0 or more, found -1.",
        ),
        (
            "decodings:\n  a:\n    top_p: 0\n    temperature: 1\n",
            "fixtures/targets.yaml:3: $.decodings.a.top_p: expected a number above 0 and at most 1, found 0.0.",
        ),
        (
            "decodings:\n  a: {top_k: 5}\n",
            "fixtures/targets.yaml:2: $.decodings.a.top_k: has no effect on greedy decoding, found 5. "
            "Add a temperature above 0.",
        ),
        (
            "decodings:\n  a: {stop: ['']}\n",
            "fixtures/targets.yaml:2: $.decodings.a.stop: expected text to stop at, found an empty text.",
        ),
        (
            "decodings:\n  a: {max_new_tokens: many}\n",
            "fixtures/targets.yaml:2: $.decodings.a.max_new_tokens: expected a whole number, found the text 'many'.",
        ),
        (
            "engines:\n  a: {}\n",
            "fixtures/targets.yaml:2: $.engines.a: kind is missing. Add one of local, replay, anthropic, openai.",
        ),
        (
            "engines:\n  a: {kind: vllm}\n",
            "fixtures/targets.yaml:2: $.engines.a.kind: no kind of engine is named 'vllm'. "
            "Known: anthropic, local, openai, replay.",
        ),
        (
            "engines:\n  local: {max_rows: 4}\n",
            "fixtures/targets.yaml:2: $.engines.local.max_rows: no setting of engine kind 'local' is named 'max_rows'. "
            "Did you mean 'max_batch_rows'? Known: batch_tokens, device, max_adapters, max_batch_rows, "
            "memory_limit_mib, one_by_one, prefix_reuse, threads.",
        ),
        (
            "engines:\n  local: {threads: 0}\n",
            "fixtures/targets.yaml:2: $.engines.local.threads: expected a whole number of 1 or more, found 0.",
        ),
        (
            "engines:\n  local: {device: tpu}\n",
            "fixtures/targets.yaml:2: $.engines.local.device: expected one of auto, cpu, cuda, found 'tpu'.",
        ),
        (
            "engines:\n  replay: {recordings: []}\n",
            "fixtures/targets.yaml:2: $.engines.replay.recordings: expected a list of files, found [].",
        ),
        (
            "default:\n  - gmma\n",
            "fixtures/targets.yaml:2: $.default[0]: no model is named 'gmma'. Known: claude-haiku, claude-sonnet. "
            "A path or a hub id (org/name) works too.",
        ),
        (
            "default:\n  - a:b:c:d:e\n",
            "fixtures/targets.yaml:2: $.default[0]: expected model+adapter:quantisation:condition:decoding, "
            "found 'a:b:c:d:e'.",
        ),
        (
            "default:\n  - {model: a/b, quantisation: nf5}\n",
            "fixtures/targets.yaml:2: $.default[0]: no quantisation is named 'nf5'. Did you mean 'nf4'? "
            "Known: bf16, fp16, fp32, fp4, int8, nf4, served.",
        ),
        (
            "default:\n  - {model: a/b, role: villain}\n",
            "fixtures/targets.yaml:2: $.default[0].role: expected one of subject, reference; found 'villain'.",
        ),
        (
            "models:\n  a: {hub: a/b}\ntargets:\n  a: {model: a}\n",
            "fixtures/targets.yaml:4: $.targets.a: 'a' is also the name of a model. "
            "Choose another name for this target.",
        ),
        (
            "targets:\n  - {model: a/b, condition: kernel}\n",
            "fixtures/targets.yaml:2: $.targets[0]: no condition is named 'kernel'. Known: naked.",
        ),
        (
            "include: [fixtures/targets.yaml]\n",
            "fixtures/targets.yaml:1: $.include[0]: fixtures/targets.yaml includes itself. Take this line out.",
        ),
        (
            "include:\n  - fixtures/gone.yaml\n",
            "fixtures/targets.yaml:2: $.include[0]: no file fixtures/gone.yaml in the workspace. "
            "Paths start at the folder that holds suites/.",
        ),
        (
            "gates:\n  - /etc/passwd\n",
            "fixtures/targets.yaml:2: $.gates[0]: expected a file inside the workspace, found '/etc/passwd'. "
            "Copy it under fixtures/.",
        ),
    ],
)
def test_a_mistake_is_shown_at_its_line(scratch, text, message):
    """File, line, field, what was found, what to do."""
    scratch.declare(text)

    with pytest.raises(UnreadableFile) as raised:
        read_targets(scratch.workspace)

    assert str(raised.value) == message


def test_all_mistakes_of_all_sections_are_shown_at_once(scratch):
    """Nobody should have to run it once for each mistake."""
    scratch.declare("models:\n  a: {}\nadapters:\n  b: {}\nengines:\n  c: {}\n")

    with pytest.raises(UnreadableFile) as raised:
        read_targets(scratch.workspace)

    assert [problem.line for problem in raised.value.problems] == [2, 4, 6]


def test_the_repositorys_own_file_is_the_one_that_is_tested(scratch):
    """A workspace without a file reads the same names as the repository does."""
    table = read_targets(scratch.workspace)

    assert [path.name for path in table.gate_files] == ["gates.yaml"]
    assert table == read_targets(Workspace(scratch.root))


def test_the_file_in_the_docs_is_read(scratch):
    """docs/targets.md shows one file with every section; it works as it stands."""
    page = (builtin_root() / "docs/targets.md").read_text(encoding="utf-8")
    scratch.declare(page.split("```yaml\n")[1].split("```")[0])
    scratch.write("fixtures/conditions/kernel.txt", "Be brief.")
    scratch.write("fixtures/gates.yaml")

    targets = scratch.resolve(engine="replay")

    assert [(target.label, target.role) for target in targets] == [
        ("own+tuned+moved:nf4-double:kernel:warm", "subject"),
        ("gemma2-9b:nf4:naked:greedy", "subject"),
        ("own+tuned:bf16:naked:greedy", "reference"),
    ]
    assert targets[2].decoding.max_new_tokens == 400
