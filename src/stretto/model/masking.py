"""How much of a command may be shown to others: all but what a name, an option or a shape gives away as a secret.

A text is read once from left to right, so that a line of any length is masked in time that grows with it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence

from stretto.model.secrets import HIDDEN, concealed, is_login, is_secret_name

_TOKEN = re.compile(r"\\.|[\"'`]|[;|&\n]|(?<![\w.-])[\w.-]+", re.DOTALL)
_SETS = re.compile(r"(?P<close>\\?[\"'])?[ \t]*(?P<sign>\+?[=:])(?![:/])=?[ \t]*")
"""Between a name and its value."""
_GAP = re.compile(r"(?P<close>[\"'])?(?:[ \t]|\\\n)++(?![-;|&)\s])")
"""Between an option and its value."""
_SCHEME = re.compile(r"(?:bearer|basic|token|digest|apikey)[ \t]+", re.IGNORECASE)
_OPEN = re.compile(r"\"?(?:\$\w+|\$\{\w+\})\"?|true|false|yes|no|on|off|none|null|", re.IGNORECASE)
"""Values that say nothing: the name of a variable, or a switch."""
_STARTS = re.compile(r"-\w*c[ \t]+\Z")
"""What stands before a text that is a command of its own."""
_USER = re.compile(r"[^\s/?#@:]*:(?!\d*(?:[/?#]|\Z))(?=[^@])")
"""The beginning of `user:password@`, but not `host:port/`."""
_RUN = re.compile(r"[^\s\"'`<>]+")
_BACKSLASH = "\\\\"
_MORE = r"(?![\w .-]{0,40}=|\s|$)"
"""Behind a `;` or `&` that belongs to a value: not the next field, and not the end."""
_NESTED = functools.reduce(lambda inner, _: rf"(?:[^()]|\({inner}\))*+", range(4), "[^()]*+")
"""Text with parentheses in it, so many of them inside of each other."""
_LETTERS = {
    **dict.fromkeys(("mysql", "mysqldump", "mysqladmin", "mysqlimport", "mariadb", "mariadb-dump", "7z"), "p+"),
    **dict.fromkeys(("sshpass", "login", "mongo", "mongosh", "mongodump", "mongorestore"), "p"),
    **dict.fromkeys(("zip", "unzip", "mosquitto_pub", "mosquitto_sub"), "P"),
    **dict.fromkeys(("ldapsearch", "ldapadd", "ldapmodify"), "w"),
    **dict.fromkeys(("ssh", "scp", "rsync"), ""),
    "redis-cli": "a",
    "curl": "b",
}
"""Programs with an option of one letter that takes a secret; `+`: its value is in the same word."""


_SETTERS = frozenset({"set", "setx", "setenv"})
"""Words behind which a name and its value stand."""


def _word(quote: str) -> re.Pattern[str]:
    """A word of a shell, which may be in pieces; inside `quote` it ends there."""
    pieces = [r"\\.", r"\\\Z"]
    for other in "\"'`":
        if other == quote:
            continue
        inner = rf"\\.|\$\({_NESTED}\)|" if other == '"' and not quote else ""
        plain = rf"[^{other}{quote}{_BACKSLASH if inner else ''}]"
        pieces.append(rf"{other}(?:{inner}{plain})*+(?:{other}|{f'(?={quote})|' if quote else ''}\Z)")
    pieces.append(rf"\$\({_NESTED}(?:\)|\Z)" if not quote else r"(?!)")
    pieces.append(rf"[;&|]{_MORE}" if quote else r"(?!)")
    pieces.append(r"[^\s\"'`\\;|&]")
    return re.compile(rf"(?:{'|'.join(pieces)})++", re.DOTALL)


_WORDS = {quote: _word(quote) for quote in ("", '"', "'", "`")}
_UNTIL = {quote: re.compile(rf"(?:\\.|[^\n{quote}\\])*+", re.DOTALL) for quote in ("", '"', "'", "`")}
_ESCAPED = re.compile(r"\\([\"'])(?:(?!\\\1).)*+(?:\\\1|\Z)", re.DOTALL)
_FIELD = re.compile(r"[^\s,}\]\"']+")


def masked(text: str) -> str:
    """`text`, a command line or a setting, with `…` for every secret in it."""
    return "".join(_Scan(_RUN.sub(lambda run: _without_logins(run[0]), concealed(text))).pieces())


def masked_words(words: Sequence[str], *, after: str = "") -> tuple[str, ...]:
    """The words of a command line, those that follow an option for a secret as a whole; `after`: its beginning."""
    shown: list[str] = []
    letters = next((_LETTERS[name] for name in reversed(re.findall(r"[\w.-]+", after)) if name in _LETTERS), "")
    for before, word in zip((after, *words), words, strict=False):
        letters = _LETTERS.get(word.rpartition("/")[2], letters)
        letter = f"-{letters[:1]}" if letters else "\0"
        if _asks(before) or is_login(before, word) or (before == letter and "+" not in letters):
            shown.append(HIDDEN)
        elif word.startswith(letter) and word != letter:
            shown.append(letter + HIDDEN)
        elif word.startswith("-") and "=" in word and is_secret_name(word.partition("=")[0]):
            shown.append(f"{word.partition('=')[0]}={HIDDEN}")
        else:
            shown.append(masked(word))
    return tuple(shown)


def _asks(word: str) -> bool:
    """Whether it is an option whose value may be a secret."""
    return bool(re.fullmatch(r"--?[A-Za-z][\w.-]+", word)) and not word.startswith("--no-") and is_secret_name(word)


def _without_logins(run: str) -> str:
    """A run without blanks, its URLs without who logs in where there is a password or a token."""
    shown, done = [], 0
    at = run.find("://")
    while at >= 0:
        start = at + 3
        after = run.find("://", start)
        end = len(run) if after < 0 else after
        host = min((i for i in (run.find(c, start, end) for c in "/?#") if i >= 0), default=end)
        stop = run.rfind("@", start, host)
        if stop < 0 and _USER.match(run, start, end):
            stop = run.rfind("@", start, end)
        user, colon, password = run[start:stop].partition(":") if stop > start else ("", "", "")
        is_http = run[max(0, at - 5) : at].lower().endswith(("http", "https"))
        if (colon and password) or (is_http and user):
            shown += [run[done:start], HIDDEN]
            done = stop
        at = after
    return "".join((*shown, run[done:]))


class _Scan:
    """One way through a text. `quote` is what it is inside of, `letters` the option of the program at hand."""

    def __init__(self, text: str) -> None:
        self.text, self.at, self.done, self.quote, self.letters = text, 0, 0, "", ""
        self.opened, self.sets = 0, False

    def pieces(self) -> Iterator[str]:
        while found := _TOKEN.search(self.text, self.at):
            self.at = found.end()
            if (span := self._secret(found[0], found.start())) is not None:
                yield self.text[self.done : span[0]] + HIDDEN
                self.done = self.at = span[1]
        yield self.text[self.done :]

    def _secret(self, token: str, start: int) -> tuple[int, int] | None:
        """Where the value lies that this token gives away."""
        if token[0] == "\\":
            return None
        if token in "\"'`":
            if self.quote in ("", token):
                self.quote, self.opened = ("" if self.quote else token), start + 1
            return None
        if token in ";|&\n":
            self.letters, self.sets = "", False
            return None
        sets, self.sets = self.sets, token in _SETTERS or (self.sets and token.startswith("-"))
        self.letters = _LETTERS.get(token, self.letters)
        if (span := self._of_letter(token, start)) or (span := self._of_name(token, start)):
            return span
        return self._of_option(token, sets)

    def _of_letter(self, token: str, start: int) -> tuple[int, int] | None:
        if not self.letters or not token.startswith(f"-{self.letters[0]}"):
            return None
        begin = start + 2
        if begin == self.at and "+" not in self.letters and (gap := _GAP.match(self.text, begin)):
            begin = gap.end()
        return self._word(begin)

    def _of_name(self, token: str, start: int) -> tuple[int, int] | None:
        before = self.text[start - 1 : start]
        found = _SETS.match(self.text, self.at)
        if found is None:
            return None
        colon = found["sign"] == ":"
        if colon and ("." in token or (before in ("$", "/") and before)):
            return None
        if not (is_secret_name(token) or (token.lower() == "sig" and before in ("?", "&") and before)):
            return None
        if found["close"] == self.quote:
            self.quote = ""
        begin = found.end()
        if self.text[begin : begin + 1] in ('"', "'", "`") or not colon:
            if (
                not colon
                and self.quote
                and self.opened == start
                and not _STARTS.search(self.text[max(0, start - 12) : start - 1])
            ):
                return self._span(begin, _UNTIL[self.quote])
            return self._word(begin, field=bool(found["close"]))
        if found["close"]:
            return self._span(begin, _ESCAPED) or self._span(begin, _FIELD)
        if self.quote:
            return self._span(begin, _UNTIL[self.quote], scheme=True)
        scheme = _SCHEME.match(self.text, begin)
        return self._word(scheme.end() if scheme else begin)

    def _of_option(self, token: str, sets: bool) -> tuple[int, int] | None:
        if not _asks(token) and token.lower() != "bearer" and not (sets and is_secret_name(token)):
            return None
        gap = _GAP.match(self.text, self.at)
        if gap is None:
            return None
        if gap["close"] == self.quote:
            self.quote = ""
        return self._word(gap.end())

    def _word(self, begin: int, *, field: bool = False) -> tuple[int, int] | None:
        first = self.text[begin : begin + 1]
        if self.text[begin : begin + 2] in ('\\"', "\\'"):
            return self._span(begin, _ESCAPED)
        if field and first in ('"', "'"):
            end = _UNTIL[first].match(self.text, begin + 1)
            return (begin + 1, end.end()) if end and end.end() > begin + 1 else None
        return self._span(begin, _WORDS["" if first and first == self.quote else self.quote])

    def _span(self, begin: int, shape: re.Pattern[str], *, scheme: bool = False) -> tuple[int, int] | None:
        found = shape.match(self.text, begin)
        if found is None:
            return None
        value = found[0]
        if scheme and (kind := _SCHEME.match(value)):
            value = value[kind.end() :]
        return None if _OPEN.fullmatch(value) else found.span()
