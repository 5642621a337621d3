"""Which licences let a package's code be learnt from and the result be passed on: permissive ones alone."""

from __future__ import annotations

import re

_PERMISSIVE = re.compile(
    r"\b(expat|mit(-0)?|bsd\w*|0bsd|apache|isc|psf\w*|python|zlib|cc0|unlicense|wtfpl|zope|zpl|bsl-1"
    r"|public.domain|blueoak)",
    re.I,
)
_COPYLEFT = re.compile(
    r"\b(A|L)?GPL|MPL|EPL|CDDL|SSPL|BUSL|CC-BY-SA|CC-BY-NC|copyleft|Mozilla Public|General Public", re.I
)

#: The head of a licence's text → what it is.
_TEXTS = (
    (re.compile(r"Apache License.{0,40}Version 2\.0", re.S), "Apache-2.0"),
    (re.compile(r"Permission to use, copy, modify, and(/or)? distribute this software"), "ISC"),
    (re.compile(r"Permission is hereby granted, free of charge, to any person\s+obtaining"), "MIT"),
    (
        re.compile(
            r"Redistribution and use in source and binary forms.{0,1600}(Neither|neither) the name", re.S
        ),
        "BSD-3-Clause",
    ),
    (re.compile(r"Redistribution and use in source and binary forms"), "BSD-2-Clause"),
)
_REFUSED = re.compile(
    r"GNU (AFFERO |LESSER )?GENERAL PUBLIC LICENSE|Mozilla Public License|Business Source License"
    r"|Eclipse Public License|Server Side Public|Commons Clause|source-available",
    re.I,
)


def permissive(licence: str) -> bool:
    """Whether a licence as metadata name it is permissive throughout."""
    return bool(_PERMISSIVE.search(licence)) and not _COPYLEFT.search(licence)


def of_text(text: str) -> str | None:
    """The permissive licence that a LICENSE file holds; None for another, or one that cannot be told."""
    head = " ".join(text[:20_000].split())
    if _REFUSED.search(head[:3_000]):
        return None
    return next((name for pattern, name in _TEXTS if pattern.search(head)), None)
