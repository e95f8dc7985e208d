"""Every sentence about a target that cannot be run."""

import json

import pytest

from evalkit.errors import UnreadableFile, UsageError

MODELS = "claude-haiku, claude-sonnet, demo, gemma, own"
ADAPTERS = "looping, mine, none, steady"
GGUF = (
    "is a GGUF file. Serve it with llama.cpp and declare the model in fixtures/targets.yaml with engine: openai and "
    "its id, or use the folder of safetensors weights it was made from."
)
LABELS = "demo:nf4:naked:greedy, demo+steady:nf4:naked:greedy, demo+looping:nf4:naked:greedy"


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (
            {"adapters": ("stedy",)},
            f"--eval-adapter: no adapter is named 'stedy'. Did you mean 'steady'? Known: {ADAPTERS}. "
            "A path or a hub id (org/name) works too.",
        ),
        (
            {"models": ("gema",)},
            f"--eval-model: no model is named 'gema'. Did you mean 'gemma'? Known: {MODELS}. "
            "A path or a hub id (org/name) works too.",
        ),
        (
            {"quantisations": ("nf44",)},
            "--eval-quant: no quantisation is named 'nf44'. Did you mean 'nf4'? "
            "Known: bf16, fp16, fp32, fp4, int8, nf4, served.",
        ),
        (
            {"conditions": ("nakid",)},
            "--eval-condition: no condition is named 'nakid'. Did you mean 'naked'? Known: naked.",
        ),
        (
            {"decodings": ("gredy",)},
            "--eval-decoding: no decoding is named 'gredy'. Did you mean 'greedy'? Known: greedy.",
        ),
        (
            {"engine": "relpay"},
            "--eval-engine: no engine is named 'relpay'. Did you mean 'replay'? "
            "Known: anthropic, local, openai, replay.",
        ),
        (
            {"engine": "local=x"},
            "--eval-engine: only replay takes a file, found 'local=x'. Write replay=FILE, or the engine's name.",
        ),
        (
            {"engine": "replay=gold.jsonl"},
            "--eval-engine: no recordings 'gold.jsonl' in fixtures/recordings. "
            "Record some with --eval-record fixtures/recordings/NAME.jsonl",
        ),
        (
            {"targets": ("dmeo",)},
            "--eval-target: no target or model is named 'dmeo'. Did you mean 'demo'? Known: claude-haiku, "
            "claude-sonnet, demo, demo+looping:nf4:naked:greedy, demo+steady:nf4:naked:greedy, demo:nf4:naked:greedy, "
            "gemma, own.",
        ),
        (
            {"targets": ("demo+stedy:nf4",)},
            f"--eval-target: no adapter is named 'stedy'. Did you mean 'steady'? Known: {ADAPTERS}. "
            "A path or a hub id (org/name) works too.",
        ),
        (
            {"targets": ("demo:nf5",)},
            "--eval-target: no quantisation is named 'nf5'. Did you mean 'nf4'? "
            "Known: bf16, fp16, fp32, fp4, int8, nf4, served.",
        ),
        (
            {"targets": ("x*",)},
            f"--eval-target: no target matches 'x*'. Known targets: {LABELS}.",
        ),
        (
            {"targets": ("demo::naked",)},
            "--eval-target: expected model+adapter:quantisation:condition:decoding, found 'demo::naked'.",
        ),
        (
            {"conditions": ("k=missing.txt",)},
            "--eval-condition: no file missing.txt. Write NAME=PATH with the path of the system prompt's text.",
        ),
        (
            {"conditions": ("a b=kernel.txt",)},
            "--eval-condition: 'a b' is no name for a condition. Use letters, digits, '.', '_' and '-'.",
        ),
        (
            {"conditions": ("naked=kernel.txt",)},
            "--eval-condition: 'naked' is declared already, with another text. Choose another name for kernel.txt.",
        ),
        (
            {"conditions": ("k=empty.txt",)},
            "--eval-condition: empty.txt is empty. Write the system prompt into it, or use the condition naked.",
        ),
        (
            {"conditions": ("k=latin.txt",)},
            "--eval-condition: latin.txt cannot be read as UTF-8 text: "
            "'utf-8' codec can't decode byte 0xe9 in position 0: unexpected end of data",
        ),
        (
            {"decodings": ("temprature=1",)},
            "--eval-decoding: no setting of a decoding is named 'temprature'. Did you mean 'temperature'? "
            "Known: frequency_penalty, max_new_tokens, min_new_tokens, min_p, no_repeat_ngram, presence_penalty, "
            "repetition_penalty, seed, temperature, top_k, top_p.",
        ),
        ({"decodings": ("temperature=hot",)}, "--eval-decoding: temperature: expected a number, found 'hot'."),
        ({"decodings": ("seed=1.5",)}, "--eval-decoding: seed: expected a whole number, found '1.5'."),
        (
            {"decodings": ("temperature=nan",)},
            "--eval-decoding: temperature: expected a number of 0 (greedy) or more, found nan.",
        ),
        (
            {"decodings": ("seed=1,seed=2",)},
            "--eval-decoding: seed is given twice in 'seed=1,seed=2'.",
        ),
        (
            {"decodings": ("stop=END",)},
            "--eval-decoding: stop cannot be written inline. Declare the decoding in fixtures/targets.yaml.",
        ),
        (
            {"decodings": ("top_p=0.9",)},
            "--eval-decoding: top_p: has no effect on greedy decoding, found 0.9. Add a temperature above 0.",
        ),
        (
            {"models": ("own",), "adapters": ("steady",)},
            "--eval-adapter: adapter steady belongs to the model models/demo, its adapter_config.json says, "
            "not to own (models/own). Use --eval-model models/demo, or --eval-adapter none for own alone; "
            "where the two are the same weights, declare the adapter in fixtures/targets.yaml with base: own",
        ),
        (
            {"targets": ("demo+steady",), "models": ("google/gemma-2-2b-it",)},
            "--eval-model: adapter steady belongs to the model models/demo, its adapter_config.json says, "
            "not to gemma-2-2b-it (google/gemma-2-2b-it). Use --eval-model models/demo, or --eval-adapter none for "
            "gemma-2-2b-it alone; where the two are the same weights, declare the adapter in fixtures/targets.yaml "
            "with base: google/gemma-2-2b-it",
        ),
        (
            {"adapters": ("someone/tuned",)},
            "--eval-adapter: the base of the hub adapter someone/tuned is not known before it is downloaded. "
            "Pass --eval-model, or run: hf download someone/tuned adapter_config.json",
        ),
    ],
)
def test_a_choice_that_cannot_be_run_says_why(demo, choice, message):
    """The option, what is wrong, what was found, and what to do."""
    demo.write("kernel.txt", "Be brief.")
    demo.write("empty.txt", " \n")
    (demo.root / "latin.txt").write_bytes(b"\xe9")

    with pytest.raises(UsageError) as raised:
        demo.resolve(**choice)

    assert str(raised.value) == message


def mlx(scratch):
    scratch.write("out/x/adapters.safetensors")
    config = {"fine_tune_type": "lora", "num_layers": 16, "lora_parameters": {"rank": 8}, "model": "google/gemma-2-2b"}
    scratch.write("out/x/adapter_config.json", json.dumps(config))


def checkpoints(count):
    def build(scratch):
        for step in range(1, count + 1):
            scratch.adapter(f"out/x/checkpoint-{step * 50}", "models/own")

    return build


def without_weights(scratch):
    scratch.adapter("out/x", "models/own")
    (scratch.root / "out/x/adapter_model.safetensors").unlink()


def pickled(scratch):
    without_weights(scratch)
    scratch.write("out/x/adapter_model.bin")


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda scratch: None,
            "no folder ./out/x (looked for {root}/out/x). Name the folder that holds adapter_config.json.",
        ),
        (
            lambda scratch: scratch.write("out/x", "weights"),
            "./out/x is a file. Name the folder that holds adapter_config.json and adapter_model.safetensors.",
        ),
        (
            mlx,
            "./out/x is an adapter in MLX format (adapters.safetensors, no peft_type), which peft cannot load. "
            "Merge it with: mlx_lm.fuse --model google/gemma-2-2b --adapter-path ./out/x --save-path FOLDER, "
            "and use --eval-model FOLDER; or train it with peft.",
        ),
        (
            lambda scratch: scratch.write("out/x/adapters.safetensors"),
            "./out/x is an adapter in MLX format (adapters.safetensors, no peft_type), which peft cannot load. "
            "Merge it with: mlx_lm.fuse --model BASE --adapter-path ./out/x --save-path FOLDER, "
            "and use --eval-model FOLDER; or train it with peft.",
        ),
        (
            lambda scratch: scratch.model("out/x"),
            "./out/x is a whole model (config.json, no adapter_config.json), not an adapter. "
            "Use it as --eval-model ./out/x.",
        ),
        (
            lambda scratch: scratch.write("out/x/notes.txt"),
            "./out/x holds no adapter_config.json, so it is no peft adapter. "
            "Name the folder that peft's save_pretrained wrote.",
        ),
        (
            checkpoints(2),
            "./out/x holds no adapter itself but 2 checkpoints: checkpoint-50, checkpoint-100. "
            "Name one, for example ./out/x/checkpoint-100.",
        ),
        (
            checkpoints(10),
            "./out/x holds no adapter itself but 10 checkpoints: checkpoint-50, checkpoint-100, checkpoint-150, "
            "checkpoint-200, checkpoint-250, checkpoint-300, checkpoint-350, checkpoint-400 and 2 more. "
            "Name one, for example ./out/x/checkpoint-500.",
        ),
        (
            lambda scratch: scratch.write("out/x/adapter_config.json", "{"),
            "./out/x/adapter_config.json cannot be read as JSON: "
            "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        ),
        (
            lambda scratch: scratch.write("out/x/adapter_config.json", "[]"),
            "./out/x/adapter_config.json: expected a JSON object, found list.",
        ),
        (
            lambda scratch: scratch.write("out/x/adapter_config.json", "{}"),
            "./out/x/adapter_config.json names no peft_type, so this is no peft adapter. "
            "Save it with peft's save_pretrained.",
        ),
        (
            without_weights,
            "./out/x has adapter_config.json but not its weights: adapter_model.safetensors is missing. Copy it there.",
        ),
        (
            pickled,
            "./out/x holds its weights as adapter_model.bin, a pickle that can run code when loaded. "
            "Save it again with peft's save_pretrained, which writes adapter_model.safetensors.",
        ),
        (
            lambda scratch: scratch.adapter("out/x", None),
            "./out/x/adapter_config.json names no base (base_model_name_or_path is empty). Pass --eval-model.",
        ),
        (
            lambda scratch: scratch.adapter("out/x", "/home/trainer/gemma"),
            "./out/x names the base '/home/trainer/gemma', which is neither a folder on this machine nor a hub id. "
            "Pass --eval-model with the place of that model.",
        ),
        (
            lambda scratch: scratch.adapter("out/x", "adapters"),
            "adapters holds no config.json, so it is no model. Name the folder that save_pretrained wrote.",
        ),
    ],
)
def test_an_adapter_that_cannot_be_used_says_why(demo, build, message):
    """--eval-adapter alone with each kind of wrong folder."""
    build(demo)

    with pytest.raises(UsageError) as raised:
        demo.resolve(adapters=("./out/x",))

    assert str(raised.value) == f"--eval-adapter: {message.format(root=demo.root)}"


@pytest.mark.parametrize(
    ("text", "build", "message"),
    [
        (
            "./out/x",
            lambda scratch: None,
            "no folder ./out/x (looked for {root}/out/x). Name a folder with config.json, or a hub id.",
        ),
        (
            "models/onw",
            lambda scratch: None,
            "no folder models/onw (looked for {root}/models/onw). Name a folder with config.json, or a hub id.",
        ),
        (
            "./out/x",
            lambda scratch: scratch.write("out/x", "weights"),
            "./out/x is a file. Name the folder that holds config.json and the weights.",
        ),
        (
            "./out/x",
            lambda scratch: scratch.adapter("out/x"),
            "./out/x is an adapter (adapter_config.json), not a model. Use it as --eval-adapter ./out/x.",
        ),
        (
            "./out/x",
            lambda scratch: scratch.write("out/x/notes.txt"),
            "./out/x holds no config.json, so it is no model. Name the folder that save_pretrained wrote.",
        ),
        (
            "./out/x.gguf",
            lambda scratch: scratch.write("out/x.gguf"),
            f"./out/x.gguf {GGUF}",
        ),
        (
            "./out/x",
            lambda scratch: scratch.write("out/x/model-q4.gguf"),
            f"./out/x/model-q4.gguf {GGUF}",
        ),
    ],
)
def test_a_model_that_cannot_be_used_says_why(demo, text, build, message):
    """--eval-model with each kind of wrong place."""
    build(demo)

    with pytest.raises(UsageError) as raised:
        demo.resolve(models=(text,))

    assert str(raised.value) == f"--eval-model: {message.format(root=demo.root)}"


def test_a_declared_gguf_file_says_so(scratch):
    """Declared or given, the sentence is the same."""
    scratch.write("m.gguf")
    scratch.declare("models:\n  m: {path: m.gguf}\ndefault: [m]\n")

    with pytest.raises(UnreadableFile) as raised:
        scratch.resolve()

    assert str(raised.value) == f"fixtures/targets.yaml:2: $.models.m: m.gguf {GGUF}"


def test_a_declared_adapter_that_cannot_be_used_is_shown_at_its_line(demo):
    """What targets.yaml names wrongly is a mistake of that file."""
    demo.adapter("adapters/steady", None, peft_type=None)

    with pytest.raises(UnreadableFile) as raised:
        demo.resolve()

    assert str(raised.value) == (
        "fixtures/targets.yaml:7: $.adapters.steady: adapters/steady/adapter_config.json names no peft_type, "
        "so this is no peft adapter. Save it with peft's save_pretrained."
    )


def test_an_adapter_of_the_default_beside_another_model_is_foreign(own):
    """An adapter is never dropped silently: the message says how to leave it out."""
    with pytest.raises(UsageError) as raised:
        own.resolve(models=("gemma",))

    assert str(raised.value) == (
        "--eval-model: adapter mine belongs to the model models/own, its adapter_config.json says, not to gemma "
        "(google/gemma-2-9b-it). Use --eval-model models/own, or --eval-adapter none for gemma alone; where the two "
        "are the same weights, declare the adapter in fixtures/targets.yaml with base: gemma"
    )


def test_two_local_folders_of_one_name_are_not_the_same_model(demo):
    """Only what cannot be seen here is compared by name."""
    demo.model("other/own")

    with pytest.raises(UsageError) as raised:
        demo.resolve(models=("other/own",), adapters=("mine",))

    assert str(raised.value) == (
        "--eval-adapter: adapter mine belongs to the model models/own, its adapter_config.json says, "
        "not to other-own (other/own). Use --eval-model models/own, or --eval-adapter none for other-own alone; "
        "where the two are the same weights, declare the adapter in fixtures/targets.yaml with base: other/own"
    )


def test_a_declared_base_must_be_the_model(demo):
    """A declaration speaks before adapter_config.json, in both directions."""
    text = demo.root.joinpath("fixtures/targets.yaml").read_text()
    demo.declare(text.replace("mine: {path: adapters/mine}", "mine: {path: adapters/mine, base: gemma}"))

    with pytest.raises(UsageError) as raised:
        demo.resolve(models=("own",), adapters=("mine",))

    assert str(raised.value) == (
        "--eval-adapter: adapter mine belongs to the model gemma, its declaration says, not to own (models/own). "
        "Use --eval-model gemma, or --eval-adapter none for own alone; where the two are the same weights, "
        "declare the adapter in fixtures/targets.yaml with base: own"
    )


@pytest.mark.parametrize("choice", [{}, {"quantisations": ("nf4",)}, {"adapters": ("none",)}])
def test_nothing_to_run_says_what_to_add(scratch, choice):
    """Neither a default nor a choice that names a model."""
    scratch.declare("models:\n  own: {path: models/own}\ntargets:\n  night: own:nf4\n")

    with pytest.raises(UsageError) as raised:
        scratch.resolve(**choice)

    assert str(raised.value) == (
        "No target to run: fixtures/targets.yaml names none under default:. Add one there, or pass --eval-target "
        "or --eval-model. Known targets: own:nf4:naked:greedy."
    )
