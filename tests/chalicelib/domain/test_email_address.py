"""What is taken for an e-mail address can stand in a header as it is, and leads to one mailbox."""

import pytest

from chalicelib.domain.email_address import BadAddress, key, mask, parse


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("ana@example.com", "ana@example.com"),
        ("  ana@example.com ", "ana@example.com"),
        ("Ana.Ruiz+sms@Example.COM", "Ana.Ruiz+sms@example.com"),
        ("o'hara@example.co.uk", "o'hara@example.co.uk"),
        ("x@xn--espaa-rta.example", "x@xn--espaa-rta.example"),
        ("a" * 64 + "@example.com", "a" * 64 + "@example.com"),
        ("a@1.2.3.com", "a@1.2.3.com"),
    ],
)
def test_an_address_is_taken_with_its_domain_in_lower_case(text: str, parsed: str) -> None:
    assert parse(text) == parsed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ana",
        "@example.com",
        "ana@",
        "ana@example",  # no mail leaves for a bare host
        "ana@example..com",
        "ana@-example.com",
        "ana@example-.com",
        "ana@example.com.",
        "ana@10.0.0.1",
        "ana@[10.0.0.1]",
        ".ana@example.com",
        "ana.@example.com",
        "a..b@example.com",
        '"ana ruiz"@example.com',
        "Ana <ana@example.com>",
        "<ana@example.com>",
        "ana@example.com,eve@example.com",
        "ana@example.com;eve@example.com",
        "ana@eve@example.com",
        "ana(comment)@example.com",
        "ana@exa mple.com",
        "añá@example.com",
        "ana@españa.example",
        "a" * 65 + "@example.com",
        "a@" + "b" * 64 + ".com",
        "a@" + "b." * 126 + "com",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(BadAddress):
        parse(text)


@pytest.mark.parametrize("break_", ["\n", "\r", "\r\n", "\v", "\f", "\x00", "\x1f", "\x7f", "\x85", "\u2028", "\u2029"])
@pytest.mark.parametrize(
    "text", ["ana@example.com{}", "{}ana@example.com", "ana{}@example.com", "ana@example.com{}Bcc: e@v.com"]
)
def test_a_line_break_anywhere_is_refused_so_that_no_header_can_be_put_in(text: str, break_: str) -> None:
    with pytest.raises(BadAddress):
        parse(text.format(break_))


def test_a_refusal_does_not_repeat_what_was_given() -> None:
    with pytest.raises(BadAddress) as caught:
        parse("hunter2@\nexample.com")
    assert "hunter2" not in str(caught.value)


def test_capitals_do_not_make_another_mailbox_and_logs_hide_whose_it_is() -> None:
    assert key(parse("Ana@Example.com")) == key(parse("aNA@example.COM"))
    assert mask("ana.ruiz@example.com") == "a…@example.com"
