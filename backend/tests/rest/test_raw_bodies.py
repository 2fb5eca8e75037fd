"""Every way in which a body can be wrong, or odd and right, as bytes: 2xx or 4xx, a small reply, the server as before."""

from itertools import product

import httpx2

from tests.rest.test_chats import make

Client = httpx2.AsyncClient
MAX_REPLY_BYTES = 4096

VALUES = [
    # numbers, right and wrong
    *[
        b"0",
        b"-0",
        b"1",
        b"-1",
        b"1.0",
        b"1e1",
        b"1E+2",
        b"1e-2",
        b"123456789012345678901234567890",
        b"0.1e1",
    ],
    *[
        b"01",
        b"-01",
        b"1.",
        b".1",
        b"-",
        b"+1",
        b"1e",
        b"1e+",
        b"0x1",
        b"1_0",
        b"1 000",
        b"--1",
        b"1.2.3",
        b"1ee2",
    ],
    *[
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"-NaN",
        b"Inf",
        b"1e999",
        b"-1e999",
        b"1e-999",
        b"9" * 400,
        b"9" * 5000,
    ],
    # literals
    *[b"true", b"false", b"null", b"True", b"nul", b"truee", b"undefined", b"None"],
    # strings
    *[
        b'""',
        b'"a"',
        b'"\\u0041"',
        b'"\\u0000"',
        b'"\\ud800"',
        b'"\\udc00"',
        b'"\\ud83d\\ude00"',
        b'"\\ud800a"',
    ],
    *[
        b'"\\ud800\\ud800"',
        b'"\\uDBFF\\uDFFF"',
        b'"\\u12"',
        b'"\\u"',
        b'"\\uZZZZ"',
        b'"\\x41"',
        b'"\\a"',
        b'"\\',
    ],
    *[
        b'"',
        b"'a'",
        b'"a',
        b'a"',
        b'"\x00"',
        b'"\x1f"',
        b'"\n"',
        b'"\t"',
        b'"\x7f"',
        b'"\xff"',
        b'"\xc0\x80"',
    ],
    *[
        b'"\xed\xa0\x80"',
        b'"\xf4\x90\x80\x80"',
        b'"\xe2\x82"',
        b'"\xf0\x9f\x98\x80"',
        b'"\xef\xbb\xbf"',
        b'"\xe2\x80\xa8"',
    ],
    *[
        b'"' + b"x" * 100_000 + b'"',
        b'"' + b"\\u0041" * 10_000 + b'"',
        b'"\\ud800' + b"\\ud800" * 5000 + b'"',
    ],
    # lists and objects
    *[
        b"[]",
        b"[1]",
        b"[1,]",
        b"[,1]",
        b"[1 2]",
        b"[1,,2]",
        b"[",
        b"]",
        b"[[]",
        b"[1]]",
        b"[" * 20,
        b"[1}",
        b'["a"',
    ],
    *[
        b"{}",
        b'{"a":1}',
        b'{"a":1,}',
        b'{,"a":1}',
        b'{"a" 1}',
        b'{"a":}',
        b'{"a"}',
        b"{a:1}",
        b"{1:1}",
        b"{'a':1}",
    ],
    *[
        b'{"a":1,"a":2}',
        b'{"":0}',
        b'{"__proto__":{"x":1}}',
        b'{"\\u0000":1}',
        b'{"\\ud800":1}',
        b"{",
        b"}",
        b"{}}",
    ],
    *[b'{"a":1 "b":2}', b'{"a"::1}', b'{"a":1;"b":2}', b"{[]:1}", b'{"a":[}', b'{"a":1}x', b'{"a":1}{"b":2}'],
    *[b"[" * 500 + b"]" * 500, b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 500 + b"1" + b"}" * 500],
    *[
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b"[" + b"1," * 100_000 + b"1]",
        b"[" + b"[]," * 50_000 + b"[]]",
    ],
    # what is not JSON at all
    *[
        b" ",
        b"\n",
        b"\t",
        b"\x00",
        b"\xff",
        b"\xfe\xff",
        b"\xef\xbb\xbf",
        b"\xef\xbb\xbf{}",
        b"//x",
        b"/**/{}",
        b"#",
    ],
    *[
        "{}".encode("utf-16"),
        "{}".encode("utf-32"),
        b"{}\x00",
        b"\x1f\x8b\x08",
        b"PK\x03\x04",
        b"<a/>",
        b"a=1&b=2",
    ],
    *[b"\x0c{}", b"\xc2\xa0{}", b"{}\xc2\xa0", b"*", b"$", b"%00", b"../../etc/passwd", b"{{7*7}}"],
]
FIELDS = {
    ("POST", "/api/chats/"): [b"title", b"max_tokens", b"params"],
    ("POST", "/api/chats/{chat}/messages"): [b"content"],
    ("POST", "/api/import"): [b"chats"],
}


def bodies(fields: list[bytes]) -> list[bytes]:
    """Return each value as the whole body, within a list, and as a field."""
    return [
        *VALUES,
        *(b"[" + value + b"]" for value in VALUES),
        *(b'{"' + field + b'": ' + value + b"}" for field, value in product(fields, VALUES)),
    ]


async def test_no_body_of_bytes_does_harm(client: Client) -> None:
    chat = await make(client)
    sent = 0
    for (method, path), fields in FIELDS.items():
        for body in bodies(fields):
            reply = await client.request(
                method,
                path.replace("{chat}", chat["id"]),
                content=body,
                headers={"Content-Type": "application/json"},
            )
            sent += 1
            said = f"{method} {path} {body[:60]!r}: {reply.status_code} {reply.text[:200]}"
            assert 200 <= reply.status_code < 500, said
            if reply.status_code >= 400:
                assert len(reply.content) <= MAX_REPLY_BYTES, said
                assert reply.headers["content-type"] == "application/problem+json", said
    assert sent > 1000
    assert (await client.get(f"/api/chats/{chat['id']}")).status_code == 200
