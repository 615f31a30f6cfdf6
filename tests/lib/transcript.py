"""The grammar of transcripts (tests/transcripts/README.md): files to steps, replies to text, and what equals what.

A reply is a tree of nodes. Its text is one line per node, in the order in which RESP sends them.
"""
import dataclasses
import re

AGGREGATE = re.compile(r"([*~%>|])(\??)(\d+)")
WORD = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\')*)'|(\S+))(?=\s|$)""")
ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{2}|.)")
ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"a": b"\a", b"b": b"\b"}
NAMES = {value[0]: "\\" + name.decode() for name, value in ESCAPES.items()} | {ord('"'): '\\"', ord("\\"): "\\\\"}
DURATION = re.compile(r"(\d+)(ms|s|m|h|d)")
SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


class Malformed(Exception):
    pass


@dataclasses.dataclass
class Node:
    head: str
    children: list = dataclasses.field(default_factory=list)

    def lines(self):
        return [self.head] + [line for child in self.children for line in child.lines()]


@dataclasses.dataclass
class Step:
    """A directive, or a command with its replies; replies without a command are awaited on the connection."""
    line: int
    directive: list = None
    command: str = None
    replies: list = dataclasses.field(default_factory=list)
    reason: str = None  # why Redis answers otherwise, if it does
    ours_alone: bool = False


# --- words and quoted text

def quote(data):
    return '"' + "".join(NAMES.get(b) or (chr(b) if 32 <= b < 127 else f"\\x{b:02x}") for b in data) + '"'


def unescape(text):
    def one(found):
        name = found[1]
        return bytes([int(name[1:], 16)]) if len(name) == 3 else ESCAPES.get(name, name)
    return ESCAPE.sub(one, text.encode())


def words(text):
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        word = WORD.match(text, at)
        if not word:
            raise Malformed(f"unbalanced quotes: {text}")
        double, single, plain = word.groups()
        found.append(unescape(double) if double is not None else
                     single.replace("\\'", "'").encode() if single is not None else plain.encode())
        at = word.end()
    return found


def seconds(text):
    found = DURATION.fullmatch(text)
    if not found:
        raise Malformed(f"not a duration: {text}")
    return int(found[1]) * SECONDS[found[2]]


# --- files

def child_count(kind, count):
    """How many nodes follow: a map has pairs, an attribute has pairs and the reply that they describe."""
    return {"%": 2 * count, "|": 2 * count + 1}.get(kind, count)


def take_node(lines):
    head = lines.pop(0)
    found = AGGREGATE.fullmatch(head)
    if not found:
        return Node(head)
    count = child_count(found[1], int(found[3]))
    if len(lines) < count:
        raise Malformed(f"{head} has fewer elements")
    return Node(head, [take_node(lines) for _ in range(count)])


def parse(path):
    """The steps of a file. A mark (`differs`, `only millrace`) is part of the step that it is for."""
    steps, pending, mark = [], [], Step(0)

    def end_replies():
        while pending:
            steps[-1].replies.append(take_node(pending))

    for number, line in enumerate(path.read_text().splitlines(), 1):
        sign, rest = line[:1], line[2:]
        try:
            if sign == "<":
                if not steps or steps[-1].directive:
                    steps.append(Step(number))
                pending.append(rest)
                continue
            end_replies()
            if sign == ">":
                steps.append(dataclasses.replace(mark, line=number, command=rest, replies=[]))
                mark = Step(0)
            elif sign == "@" and rest.startswith("differs "):
                mark = Step(0, reason=rest[8:])
            elif sign == "@" and rest == "only millrace":
                mark = Step(0, reason="not asked of Redis", ours_alone=True)
            elif sign == "@":
                steps.append(Step(number, directive=rest.split()))
            elif line and sign != "#":
                raise Malformed("not a comment, command, reply or directive")
        except Malformed as problem:
            raise Malformed(f"{path}:{number}: {problem}") from None
    end_replies()
    return steps


# --- replies

def read_reply(reader):
    """One reply from a binary stream."""
    line = reader.readline()
    if not line.endswith(b"\r\n"):
        raise EOFError("the connection was closed")
    kind, rest = line[:1].decode(), line[1:-2].decode("latin-1")
    if kind in "$=":
        if rest == "-1":
            return Node("(nil)")
        data = reader.read(int(rest) + 2)[:-2]
        return Node(quote(data) if kind == "$" else f"(verbatim {data[:3].decode()}) {quote(data[4:])}")
    if kind in "*~%>|":
        count = int(rest)
        return Node(kind + rest, [read_reply(reader) for _ in range(child_count(kind, count))])
    return Node({"+": "", "-": "(error) ", ":": "(integer) ", ",": "(double) ", "(": "(big number) ",
                 "_": "_", "#": "(true)" if rest == "t" else "(false)"}[kind] + ("" if kind in "_#" else rest))


def matches(expected, actual):
    head = expected.head
    if head == "...":
        return True
    if len(head) > 1 and head[0] == head[-1] == "/":
        return re.fullmatch(head[1:-1], actual.head) is not None
    if head.replace("?", "") != actual.head if AGGREGATE.fullmatch(head) else head != actual.head:
        return False
    if head[1:2] == "?":
        return matches_in_any_order(expected.children, actual.children, 2 if head[0] == "%" else 1)
    return all(map(matches, expected.children, actual.children))


def matches_in_any_order(expected, actual, group):
    """Elements of a set, or pairs of a map."""
    left = [actual[i:i + group] for i in range(0, len(actual), group)]
    for i in range(0, len(expected), group):
        found = next((a for a in left if all(map(matches, expected[i:i + group], a))), None)
        if found is None:
            return False
        left.remove(found)
    return True
