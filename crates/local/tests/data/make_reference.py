"""Makes the frozen reference data beside this file, with no code of the engine they test.

    python3 -m venv venv && venv/bin/pip install gguf numpy regex sentencepiece tokenizers
    venv/bin/python make_reference.py SmolLM2-135M-Instruct.Q4_1.gguf

tiny.gguf           a random model of the llama architecture, seeded, in 32-bit reals: 2 layers, 4 query and 2 key-value heads
tiny-logits.json    its logits, computed here in 64-bit reals
token-ids.json      token ids of SmolLM2 for awkward texts: byte pairs merged by the loop below, and the same from PyPI `tokenizers`
                    set up as the model's published tokenizer; both must agree before anything is written
pieces.json         a small SentencePiece vocabulary of the kind Llama 2 has, trained here on this script, and what PyPI `sentencepiece`
                    makes of the same awkward texts
smollm2-logits.json the five largest logits of SmolLM2 at some positions: `exact` from its Q4_1 weights as they are, and `q8` with all
                    weights and the inputs of every product rounded to Q8_0 blocks as the file format defines them
"""

import io
import json
import sys
from pathlib import Path

import gguf
import numpy as np
import regex
import sentencepiece
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

HERE = Path(__file__).parent
TEXTS = [
    "", " ", "Hello", " Hello", "Hello, world!", "hello  world   again", "\n", "\n\n\n", "\t\tx", "a\r\nb", "trailing   ",
    "   leading", "0", "1234567890", "3.14159e-10", "x1y22z333", "2024-11-24T10:00:00Z", "I'm you're they'll don't CAN'T",
    "def add(a: int, b: int) -> int:\n    return a + b\n", "for (let i = 0; i < 10; i++) {\n\tconsole.log(`${i}`);\n}",
    "SELECT * FROM users WHERE name = ? AND age >= 18;", "if x:\n        y = [1, 2, 3]\n        z = {'a': None}", "#include <stdio.h>\n",
    "https://example.com/a/b?c=d&e=f#g", "user@example.com", "naïve café Zürich", "Привет, мир", "你好，世界", "こんにちは", "🙂👩‍👩‍👧 family",
    "e\u0301 combining", "\u00a0nbsp\u2003em", "½ ² Ⅳ ٣", "\u0000\u0001\u007f", "a\u200bb", "!!!???...,,,", "---\n+++ b/file.py\n@@ -1,3 +1,4 @@",
    "CamelCaseIdentifierWithNumbers42", "supercalifragilisticexpialidocious", "<|im_start|>user\nHi<|im_end|>\n", "<|endoftext|>", "a<|im_end|>b <file_sep> c",
    "<|im_start|>system\nYou are a helpful coding assistant.<|im_end|>\n<|im_start|>user\nWrite a function.<|im_end|>\n<|im_start|>assistant\n",
]


def byte_characters():
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {**{byte: chr(byte) for byte in printable}, **{byte: chr(256 + place) for place, byte in enumerate(others)}}


class PairMerger:
    """Byte-level BPE as it was published with GPT-2, preceded by splitting off single digits, as SmolLM2 has it."""

    WORDS = regex.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")

    def __init__(self, tokens, kinds, merges):
        self.ids = {token: place for place, token in enumerate(tokens)}
        self.ranks = {tuple(merge.split(" ")): rank for rank, merge in enumerate(merges)}
        self.control = sorted((token for token, kind in zip(tokens, kinds) if kind == 3), key=len, reverse=True)
        self.characters = byte_characters()

    def encode(self, text):
        parts = regex.split("(" + "|".join(map(regex.escape, self.control)) + ")", text) if self.control else [text]
        ids = []
        for part in parts:
            if part in self.control:
                ids.append(self.ids[part])
                continue
            for piece in regex.split(r"(\p{N})", part):
                for word in self.WORDS.findall(piece):
                    ids.extend(self.ids[unit] for unit in self.merge(word))
        return ids

    def merge(self, word):
        units = [self.characters[byte] for byte in word.encode("utf-8")]
        while len(units) > 1:
            pairs = list(zip(units, units[1:]))
            best = min(pairs, key=lambda pair: self.ranks.get(pair, 1 << 30))
            if best not in self.ranks:
                break
            joined, place = [], 0
            while place < len(units):
                if place + 1 < len(units) and (units[place], units[place + 1]) == best:
                    joined.append(units[place] + units[place + 1])
                    place += 2
                else:
                    joined.append(units[place])
                    place += 1
            units = joined
        return units


def published_tokenizer(tokens, kinds, merges):
    vocabulary = {token: place for place, token in enumerate(tokens)}
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=[tuple(merge.split(" ")) for merge in merges]))
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)]
    )
    made.add_special_tokens([AddedToken(t, special=True, normalized=False) for t, kind in zip(tokens, kinds) if kind == 3])
    return made


def rounded_to_q8(x):
    """What is left of `x` after Q8_0: 32 numbers share a 16-bit scale, each keeps 8 bits, halves are rounded away from zero."""
    blocks = x.astype(np.float32).reshape(-1, 32)
    scale = np.abs(blocks).max(-1, keepdims=True) / np.float32(127)
    steps = blocks * np.divide(np.float32(1), scale, out=np.zeros_like(scale), where=scale != 0)
    whole = np.copysign(np.floor(np.abs(steps) + np.float32(0.5)), steps)
    return (whole * scale.astype(np.float16).astype(np.float64)).reshape(x.shape)


def decode(weights, config, ids, rounded=lambda x: x):
    """Logits after every position, in 64-bit reals; `rounded` is applied to the inputs of every product with weights."""
    width, query_heads, key_heads, size = config["width"], config["query_heads"], config["key_heads"], config["size"]

    def norm(x, weight):
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + config["epsilon"]) * weight

    def turn(x, heads):
        x = x.reshape(len(ids), heads, size // 2, 2)
        angle = np.arange(len(ids))[:, None] * config["theta"] ** (-2.0 * np.arange(size // 2) / size)
        cosine, sine = np.cos(angle)[:, None], np.sin(angle)[:, None]
        first, second = x[..., 0], x[..., 1]
        return np.stack([first * cosine - second * sine, first * sine + second * cosine], -1).reshape(len(ids), heads, size)

    x = weights["token_embd.weight"][ids]
    hidden_future = np.triu(np.full((len(ids), len(ids)), -np.inf), 1)
    for layer in range(config["layers"]):
        w = lambda name: weights[f"blk.{layer}.{name}.weight"]
        h = rounded(norm(x, w("attn_norm")))
        query = turn(h @ w("attn_q").T, query_heads)
        key = turn(h @ w("attn_k").T, key_heads)
        value = (h @ w("attn_v").T).reshape(len(ids), key_heads, size)
        group = query_heads // key_heads
        heads = []
        for head in range(query_heads):
            scores = query[:, head] @ key[:, head // group].T / np.sqrt(size) + hidden_future
            share = np.exp(scores - scores.max(-1, keepdims=True))
            heads.append(share / share.sum(-1, keepdims=True) @ value[:, head // group])
        x = x + rounded(np.concatenate(heads, -1)) @ w("attn_output").T
        h = rounded(norm(x, w("ffn_norm")))
        gate = h @ w("ffn_gate").T
        x = x + rounded(gate / (1 + np.exp(-gate)) * (h @ w("ffn_up").T)) @ w("ffn_down").T
    output = weights.get("output.weight", weights["token_embd.weight"])
    return rounded(norm(x, weights["output_norm.weight"])) @ output.T


def top(logits, count):
    order = np.argsort(-logits, kind="stable")[:count]
    return [[int(token), round(float(logits[token]), 4)] for token in order]


def make_tiny():
    random = np.random.default_rng(20261124)
    width, hidden, query_heads, key_heads, size, layers = 32, 64, 4, 2, 8, 2
    characters = byte_characters()
    merges = [("h", "e"), ("l", "l"), ("he", "ll"), ("hell", "o"), ("Ġ", "w"), ("o", "r"), ("Ġw", "or")]
    control = ["<|begin|>", "<|end|>", "<|role|>"]
    tokens = control + [characters[byte] for byte in range(256)] + ["".join(merge) for merge in merges]
    weights = {"token_embd.weight": (len(tokens), width), "output_norm.weight": (width,)}
    for layer in range(layers):
        for name, shape in {
            "attn_norm": (width,), "attn_q": (query_heads * size, width), "attn_k": (key_heads * size, width),
            "attn_v": (key_heads * size, width), "attn_output": (width, query_heads * size), "ffn_norm": (width,),
            "ffn_gate": (hidden, width), "ffn_up": (hidden, width), "ffn_down": (width, hidden),
        }.items():
            weights[f"blk.{layer}.{name}.weight"] = shape
    made = {}
    for name, shape in weights.items():
        spread = random.normal(size=shape) * (0.1 if len(shape) == 1 else 1.5 / np.sqrt(shape[-1]))
        made[name] = (spread + (1.0 if len(shape) == 1 else 0.0)).astype(np.float32)
    writer = gguf.GGUFWriter(HERE / "tiny.gguf", "llama")
    writer.add_name("tiny")
    writer.add_context_length(96)
    writer.add_embedding_length(width)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(hidden)
    writer.add_head_count(query_heads)
    writer.add_head_count_kv(key_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_rope_dimension_count(size)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([3] * len(control) + [1] * (len(tokens) - len(control)))
    writer.add_token_merges([" ".join(merge) for merge in merges])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    writer.add_add_bos_token(True)
    writer.add_chat_template(
        "{% for message in messages %}<|role|>{{ message['role'] }}: {{ message['content'] | trim }}{% endfor %}"
        "{% if add_generation_prompt %}<|role|>assistant: {% endif %}"
    )
    for name, values in made.items():
        writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    config = dict(width=width, query_heads=query_heads, key_heads=key_heads, size=size, layers=layers, epsilon=1e-5, theta=10000.0)
    ids = [0, *random.integers(3, len(tokens), 39).tolist()]
    logits = decode({name: values.astype(np.float64) for name, values in made.items()}, config, ids)
    text = "hello world 42"
    merger = PairMerger(tokens, [3] * len(control) + [1] * (len(tokens) - len(control)), [" ".join(merge) for merge in merges])
    save("tiny-logits.json", {
        "ids": ids, "text": text, "text_ids": merger.encode(text),
        "after": {str(count): [round(float(value), 6) for value in logits[count - 1]] for count in (1, 2, 17, 40)},
    })


def make_pieces():
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(Path(__file__).read_text().splitlines()), model_writer=model, model_type="bpe", vocab_size=700,
        byte_fallback=True, split_digits=True, normalization_rule_name="identity", remove_extra_whitespaces=False,
        allow_whitespace_only_pieces=True, num_threads=1, minloglevel=2,
    )
    made = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    places = range(made.get_piece_size())
    kind = lambda place: 2 if made.is_unknown(place) else 3 if made.is_control(place) else 6 if made.is_byte(place) else 1
    save("pieces.json", {
        "tokens": [made.id_to_piece(place) for place in places], "scores": [made.get_score(place) for place in places],
        "kinds": [kind(place) for place in places],
        "cases": [{"text": text, "ids": made.encode(text)} for text in TEXTS if "<|" not in text],
    })


def make_smollm(path):
    reader = gguf.GGUFReader(path)
    field = lambda key: reader.fields[key].contents()
    tokens, kinds, merges = (field("tokenizer.ggml." + key) for key in ("tokens", "token_type", "merges"))
    merger, published = PairMerger(tokens, kinds, merges), published_tokenizer(tokens, kinds, merges)
    cases = []
    for text in TEXTS:
        ids = merger.encode(text)
        assert ids == published.encode(text, add_special_tokens=False).ids, text
        cases.append({"text": text, "ids": ids})
    save("token-ids.json", {"made_by": "make_reference.py: two other implementations that agree", "cases": cases})

    weights = {t.name: gguf.quants.dequantize(t.data, t.tensor_type).astype(np.float64) for t in reader.tensors}
    config = dict(
        width=field("llama.embedding_length"), query_heads=field("llama.attention.head_count"),
        key_heads=field("llama.attention.head_count_kv"), size=field("llama.rope.dimension_count"), layers=field("llama.block_count"),
        epsilon=field("llama.attention.layer_norm_rms_epsilon"), theta=field("llama.rope.freq_base"),
    )
    answer = "Here is the function:\n\n```python\ndef add(a, b):\n    return a + b\n```\n\nThis function takes two"
    text = TEXTS[-1].replace("Write a function.", "Write a Python function that adds two numbers.") + answer
    ids = merger.encode(text)
    exact = decode(weights, config, ids)
    q8 = decode({name: rounded_to_q8(w) if w.ndim == 2 else w for name, w in weights.items()}, config, ids, rounded_to_q8)
    print("standard deviation of all logits", exact.std(), "and of what Q8_0 changes", (exact - q8).std())
    counts = sorted({1, 10, len(ids) // 2, len(ids) - 20, len(ids) - 10, len(ids) - 3, len(ids)})
    save("smollm2-logits.json", {
        "text": text, "ids": ids,
        "after": {str(count): {"exact": top(exact[count - 1], 5), "q8": top(q8[count - 1], 5)} for count in counts},
    })


def save(name, value):
    (HERE / name).write_text(json.dumps(value, ensure_ascii=True, indent=1) + "\n")


make_tiny()
make_pieces()
if len(sys.argv) > 1:
    make_smollm(sys.argv[1])
