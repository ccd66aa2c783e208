"""Policies (C2SP tlog-policy): read by its rules, refused with the line, judged by whose cosignatures are there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hashshare.wire import keys
from hashshare.wire.errors import UsageError
from hashshare.wire.log import Cosigner, verifier_key
from hashshare.wire.log.policies import MAX_POLICY, Policy
from tests.vectors.cast import key

COSIGNERS = {f"{row}{n}": Cosigner(f"{row}{n}.example", keys.public_bytes(key(80 + 10 * i + n)))
             for i, row in enumerate("XY") for n in (1, 2, 3)}  # fmt: skip
WITNESSES = "".join(f"witness {name} {cosigner.to_text()}\n" for name, cosigner in COSIGNERS.items())
LOG = verifier_key("log.example", keys.public_bytes(key(79)))
EXAMPLE = f"""# The example of the specification.
log {LOG}

{WITNESSES}
group X-witnesses 2 X1 X2 X3
\tgroup  Y-witnesses\tany Y1 Y2 Y3 \t
  # a comment
group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


def satisfied(policy: Policy, *names: str) -> bool:
    return policy.is_satisfied([COSIGNERS[name] for name in names])


def test_it_judges_the_example_of_the_specification() -> None:
    policy = Policy.parse(EXAMPLE)
    assert satisfied(policy, "X1", "X3", "Y2")
    assert satisfied(policy, *COSIGNERS)
    assert not satisfied(policy, "X1", "X2", "X3")
    assert not satisfied(policy, "X1", "Y1", "Y2", "Y3")
    assert not satisfied(policy)


@given(st.sets(st.sampled_from(sorted(COSIGNERS))))
def test_it_judges_as_the_words_say(names: set[str]) -> None:
    wanted = len(names & {"X1", "X2", "X3"}) >= 2 and bool(names & {"Y1", "Y2", "Y3"})
    assert satisfied(Policy.parse(EXAMPLE), *names) is wanted


def test_one_witness_may_be_the_quorum_and_none_wants_nothing() -> None:
    one = Policy.parse(f"{WITNESSES}quorum Y3\n")
    assert satisfied(one, "Y3")
    assert not satisfied(one, "Y1", "Y2")
    assert satisfied(Policy.parse("quorum none"))


def test_it_reads_what_it_wrote() -> None:
    policy = Policy.parse(EXAMPLE)
    assert Policy.parse(policy.to_text()) == policy
    url = f"witness w {COSIGNERS['X1'].to_text()} https://w.example/witness\nquorum w\n"
    assert Policy.parse(url).witnesses["w"].url == "https://w.example/witness"
    assert Policy.parse(url).to_text() == url


@pytest.mark.parametrize(
    "lines",
    [
        "",
        "quorum",
        "quorum X1 X2",
        "quorum Z",
        "quorum none\nquorum none",
        "group g all X1\nquorum h",
        "group g 0 X1\nquorum g",
        "group g 2 X1\nquorum g",
        "group g 01 X1\nquorum g",
        "group g all\nquorum g",
        "group g all X1 X1\nquorum g",
        "group g all later\ngroup later all X1\nquorum g",
        "group g all none\nquorum g",
        "group X1 all X2\nquorum X1",
        "group none all X2\nquorum X1",
        "group g all X1 X2\ngroup h all X2 X3\nquorum h",
        f"witness again {COSIGNERS['X1'].to_text()}\nquorum X1",
        f"witness other {Cosigner('o.example', COSIGNERS['X1'].public).to_text()}\nquorum X1",
        f"witness w {LOG}\nquorum X1",
        f"log {COSIGNERS['X1'].to_text()}\nquorum X1",
        "wittness w x\nquorum X1",
        "witness w\nquorum X1",
        "quorum X1\r\n",
        "quorum X1\x00",
    ],
)
def test_it_refuses_and_names_the_line(lines: str) -> None:
    with pytest.raises(UsageError):
        Policy.parse(WITNESSES + lines)


def test_it_names_the_line() -> None:
    with pytest.raises(UsageError, match=r"^Line 7 of the policy"):
        Policy.parse(f"{WITNESSES}quorum nobody")


def test_it_is_bounded() -> None:
    with pytest.raises(UsageError):
        Policy.parse("#" * MAX_POLICY + "\nquorum none")
    many = "".join(f"group g{n} all X{n}\n" for n in range(1, 4)) + "quorum none"
    assert len(Policy.parse(WITNESSES + many).groups) == 3


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused_by_name(text: str) -> None:
    for given_text in (text, f"{WITNESSES}{text}\nquorum X1"):
        try:
            Policy.parse(given_text)
        except UsageError:
            continue
