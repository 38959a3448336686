"""Calls functions of an answer for the judge: one JSON line in, one JSON line out.

Nothing this process says is believed: the judge alone knows what is expected, and compares outside. What is guarded here is the
conversation itself, so that an answer that prints, replaces builtins or closes descriptors spoils its own result and nothing else.
"""
import sys, os
from binascii import a2b_base64 as b64decode, b2a_base64


def codec():
    """Reads and writes JSON; by the accelerator alone where it can be had, since the json module takes as long as Python itself to start."""
    try:
        from _json import make_encoder, make_scanner, encode_basestring_ascii

        class Context:
            strict, object_hook, object_pairs_hook = True, None, None
            parse_float, parse_int, parse_constant = float, int, float
        scan = make_scanner(Context())

        def refuse(value):
            raise TypeError("no JSON")

        def loads(text):
            return scan(text, 0)[0]

        def dumps(value):
            encoder = make_encoder({}, refuse, encode_basestring_ascii, None, ": ", ", ", False, False, False)
            return "".join(encoder(value, 0))
        sample = {"a": [1, 2.5, None, True, "\u00fc\n"], "b": {}}
        if loads(dumps(sample)) == sample:
            return loads, dumps
    except Exception:
        pass
    import json
    return json.JSONDecoder().decode, json.JSONEncoder(allow_nan=False).encode


def main():
    loads, dumps = codec()
    os_read, os_write = os.read, os.write
    is_a, kind_of, text_of, ints, floats = isinstance, type, str.__str__, int.__add__, float.__add__
    join, exit_now = b"".join, os._exit

    def b64encode(data):
        return b2a_base64(data, newline=False)

    # The conversation moves to descriptors of its own; what the answer prints goes to standard error.
    ask, say = os.dup(0), os.dup(1)
    null = os.open("/dev/null", os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    sys.stdin = os.fdopen(0, "r", closefd=False)
    sys.stdout = os.fdopen(1, "w", 1, errors="replace", closefd=False)
    import builtins
    builtins.exit = builtins.quit = sys.exit
    pending = []

    def hear():
        parts = list(pending)
        while b"\n" not in (parts[-1] if parts else b""):
            chunk = os_read(ask, 65536)
            if not chunk:
                exit_now(0)
            parts.append(chunk)
        line, _, rest = join(parts).partition(b"\n")
        pending[:] = [rest] if rest else []
        return loads(line.decode("utf-8"))

    def tell(reply):
        data = dumps(reply).encode("ascii") + b"\n"
        if len(data) > 3000000:
            data = dumps({"id": reply["id"], "raised": ["ReplyTooLarge"], "message": "the value is too large"}).encode("ascii") + b"\n"
        while data:
            data = data[os_write(say, data):]

    def decode(value):
        if is_a(value, list):
            return [decode(item) for item in value]
        if is_a(value, dict):
            if len(value) == 1:
                (form, inner), = value.items()
                if form == "$bytes":
                    return b64decode(inner)
                if form == "$set":
                    return {decode(item) for item in inner}
                if form == "$map":
                    return {decode(key): decode(item) for key, item in inner}
            return {key: decode(item) for key, item in value.items()}
        return value

    def encode(value, depth=0):
        if depth > 60:
            return {"$object": "TooDeep", "repr": "..."}
        if value is None or value is True or value is False:
            return value
        if is_a(value, str):
            return text_of(value).encode("utf-8", "surrogatepass").decode("utf-8", "replace")
        if is_a(value, int):
            return ints(value, 0)
        if is_a(value, float):
            number = floats(value, 0.0)
            if number != number or number in (float("inf"), float("-inf")):
                return {"$float": repr(number)}
            return number
        if is_a(value, (bytes, bytearray, memoryview)):
            return {"$bytes": b64encode(bytes(value)).decode("ascii")}
        if is_a(value, dict):
            items = list(dict.items(value))
            if all(is_a(key, str) for key, _ in items) and not any(key.startswith("$") for key, _ in items):
                return {text_of(key): encode(item, depth + 1) for key, item in items}
            return {"$map": [[encode(key, depth + 1), encode(item, depth + 1)] for key, item in items]}
        if is_a(value, (list, tuple)):
            return [encode(item, depth + 1) for item in value]
        if is_a(value, (set, frozenset)):
            return {"$set": [encode(item, depth + 1) for item in value]}
        name = kind_of(value).__name__
        if is_a(value, os.PathLike):
            return encode(os.fspath(value), depth + 1)
        if kind_of(value).__module__ in ("datetime", "decimal", "uuid", "fractions", "ipaddress"):
            return value.isoformat() if hasattr(value, "isoformat") else str(value)
        if hasattr(value, "keys") and hasattr(value, "__getitem__") and not is_a(value, kind_of):
            return {str(key): encode(value[key], depth + 1) for key in value.keys()}
        if hasattr(value, "__next__") and hasattr(value, "__iter__"):
            found = []
            for item in value:
                found.append(encode(item, depth + 1))
                if len(found) > 100000:
                    break
            return found
        return {"$object": name, "repr": repr(value)[:2000]}

    def freeze():
        """The same clock and the same seed in two processes: what differs then is drawn from the system."""
        import random, time, datetime
        state = {"now": 1767225600.0}

        def tick():
            state["now"] += 1e-6
            return state["now"]
        for name in ("time", "monotonic", "perf_counter", "process_time"):
            setattr(time, name, tick)
        for name in ("time_ns", "monotonic_ns", "perf_counter_ns", "process_time_ns"):
            setattr(time, name, lambda: int(tick() * 1e9))
        real = datetime.datetime

        class Fixed(real):
            @classmethod
            def now(cls, tz=None):
                return real.fromtimestamp(tick(), tz)

            @classmethod
            def utcnow(cls):
                return real.fromtimestamp(tick(), datetime.timezone.utc).replace(tzinfo=None)

            @classmethod
            def today(cls):
                return real.fromtimestamp(tick())
        datetime.datetime = Fixed
        seed = random.Random.seed

        def fixed_seed(self, a=None, version=2):
            return seed(self, 20260101 if a is None else a, version)
        random.Random.seed = fixed_seed
        random.seed = random._inst.seed
        random.seed()

    kept = {}
    module = {}

    def find(name):
        parts = name.split(".")
        if parts[0] in kept:
            target = kept[parts[0]]
        else:
            target = getattr(module["it"], parts[0])
        for part in parts[1:]:
            target = getattr(target, part)
        return target

    def run(order):
        if order["op"] == "load":
            if order.get("frozen"):
                freeze()
            sys.path.insert(0, "/work")
            import importlib
            module["it"] = importlib.import_module(order["module"])
            return None
        target = find(order["name"])
        values = []
        for _ in range(order.get("times", 1)):
            result = target(*decode(order["args"]), **decode(order["kwargs"]))
            if hasattr(result, "__await__"):
                import asyncio

                async def wait(awaited):
                    return await awaited
                result = asyncio.run(wait(result))
            if order.get("keep"):
                kept[order["keep"]] = result
            values.append(encode(result))
        return values if "times" in order else values[0]

    while True:
        order = hear()
        try:
            reply = {"id": order["id"], "value": run(order)}
            tell(reply)
        except BaseException as error:
            names = [base.__name__ for base in kind_of(error).__mro__ if base is not object]
            try:
                message = str(error)[:500]
            except BaseException:
                message = ""
            message = message.encode("utf-8", "replace").decode("utf-8", "replace")
            tell({"id": order["id"], "raised": names, "message": message})


main()
