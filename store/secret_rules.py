"""What secrets look like: our own rules, beside those that are kept in bc-detect-secrets."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Rule:
    """One shape of a secret. `pattern` is in RE2's syntax; a group, where it has any, holds the secret itself.

    `kind` says what else must hold: "token" has a prefix that says what it is; "keyed" stands beside a word
    such as `secret`, "password" beside a word such as `password`, where people also put what they can type;
    "prose" is behind it in a sentence; "given" is where a program asks for nothing but a secret, "lines" the same
    over several lines; "url" is where a URL has its password; "block" is taken as it stands. `entropy` is the
    least Shannon entropy, in bits a character. `loose`, where there is one, matches wherever `pattern` does.
    """

    name: str
    pattern: str
    kind: str = "token"
    entropy: float = 0.0
    loose: str = ""


#: Prefixes as the issuers document them. A kept rule that says the same finds the same place: one redaction.
TOKENS: tuple[tuple[str, str], ...] = (
    ("adafruit-key", r"aio_[A-Za-z0-9]{28}"),
    ("age-key", r"AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}"),
    ("airtable-token", r"pat[A-Za-z0-9]{14}\.[0-9a-f]{64}"),
    ("alibaba-access-key", r"LTAI[A-Za-z0-9]{12,24}"),
    ("anthropic-api-key", r"sk-ant-[a-z]+[0-9]{2}-[A-Za-z0-9_-]{20,}"),
    ("atlassian-token", r"ATATT3[A-Za-z0-9_=-]{50,}"),
    ("aws-bedrock-key", r"ABSK[A-Za-z0-9+/]{100,}={0,2}"),
    ("azure-client-secret", r"[A-Za-z0-9_.~-]{3}[0-9]Q~[A-Za-z0-9_.~-]{31,34}"),
    ("azure-devops-token", r"[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}"),
    ("cratesio-token", r"cio[A-Za-z0-9]{32}"),
    ("databricks-token", r"dapi[0-9a-f]{32}(?:-[0-9]{1,2})?"),
    ("digitalocean-token", r"do[oprt]_v1_[0-9a-f]{64}"),
    ("discord-bot-token", r"[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}"),
    ("discord-webhook", r"discord(?:app)?\.com/api/webhooks/[0-9]{15,21}/([A-Za-z0-9_-]{50,})"),
    ("docker-token", r"dckr_[po]at_[A-Za-z0-9_-]{27,32}"),
    ("doppler-token", r"dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_-]{2,35}\.)?[A-Za-z0-9]{40,44}"),
    ("dropbox-token", r"sl\.(?:u\.)?[A-Za-z0-9_-]{100,}"),
    ("figma-token", r"fig(?:d|o|ou|or|oh)_[A-Za-z0-9_-]{40,60}"),
    ("flyio-token", r"(?:fo1_[A-Za-z0-9_-]{43}|fm[12][ar]?_[A-Za-z0-9+/]{100,}={0,2})"),
    ("github-token", r"gh[pousr]_[A-Za-z0-9]{36,}"),
    ("github-fine-grained-token", r"github_pat_[A-Za-z0-9_]{50,}"),
    ("gitlab-token", r"gl(?:pat|dt|ft|soat|rt|cbt|imt|ptt|oas|agent|ffct|rtr|wt)-[A-Za-z0-9_.-]{20,}"),
    ("google-api-key", r"AIza[A-Za-z0-9_-]{35}"),
    ("google-oauth-secret", r"GOCSPX-[A-Za-z0-9_-]{28}"),
    ("google-oauth-token", r"ya29\.[A-Za-z0-9_-]{30,}"),
    ("google-refresh-token", r"1//0[A-Za-z0-9_-]{38,}"),
    ("grafana-token", r"glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}|glc_[A-Za-z0-9+/]{32,}={0,2}"),
    ("groq-api-key", r"gsk_[A-Za-z0-9]{52}"),
    ("heroku-token", r"HRKU-[A-Za-z0-9_-]{36,70}"),
    ("hubspot-token", r"pat-(?:na|eu|ap)[0-9]-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    ("hugging-face-token", r"(?:hf_[A-Za-z0-9]{34,40}|api_org_[A-Za-z0-9]{34})"),
    ("json-web-token", r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{16,}"),
    ("linear-api-key", r"lin_(?:api|oauth)_[A-Za-z0-9]{32,64}"),
    ("mailgun-key", r"key-[0-9a-f]{32}"),
    ("netlify-token", r"nf[pcoub]_[A-Za-z0-9]{36}"),
    ("new-relic-key", r"NRA[KL]-[A-Z0-9]{27}|NRI[IQ]-[A-Za-z0-9_-]{32}"),
    ("notion-token", r"(?:ntn_[A-Za-z0-9]{40,50}|secret_[A-Za-z0-9]{43})"),
    ("npm-token", r"npm_[A-Za-z0-9]{36}"),
    ("openai-api-key", r"sk-(?:(?:proj|svcacct|admin|None|or-v1)-)?[A-Za-z0-9][A-Za-z0-9_-]{38,}"),
    ("perplexity-api-key", r"pplx-[A-Za-z0-9]{40,56}"),
    ("planetscale-token", r"pscale_(?:tkn|oauth|pw)_[A-Za-z0-9_.=-]{32,64}"),
    ("postman-api-key", r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}"),
    ("pulumi-token", r"pul-[0-9a-f]{40}"),
    ("pypi-token", r"pypi-AgE[A-Za-z0-9_-]{50,}"),
    ("replicate-token", r"r8_[A-Za-z0-9]{37,40}"),
    ("rubygems-token", r"rubygems_[0-9a-f]{48}"),
    ("sendgrid-api-key", r"SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,64}"),
    ("sentry-token", r"sntry[su]_[A-Za-z0-9+/=_-]{60,}"),
    ("shopify-token", r"shp(?:at|ca|pa|ss|ua)_[0-9a-fA-F]{32}"),
    ("slack-token", r"(?:xox[abeoprs]|xoxe\.xox[bp])-[A-Za-z0-9-]{20,}|xapp-[0-9]-[A-Za-z0-9-]{30,}"),
    ("slack-webhook", r"hooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9/]{20,})"),
    ("square-token", r"(?:EAAA[A-Za-z0-9_-]{56,64}|sq0(?:atp|csp|idp)-[A-Za-z0-9_-]{22,60})"),
    ("stripe-key", r"(?:(?:sk|rk)_(?:live|test|prod)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9+/]{32,64}={0,2})"),
    ("supabase-token", r"sbp_[0-9a-f]{40}|sb_secret_[A-Za-z0-9_-]{22,50}"),
    ("telegram-bot-token", r"[0-9]{8,10}:AA[A-Za-z0-9_-]{33}"),
    ("terraform-token", r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,70}"),
    ("twilio-key", r"(?:AC|SK)[0-9a-f]{32}"),
    ("vault-token", r"hv[sbr]\.[A-Za-z0-9_-]{24,}"),
    ("xai-api-key", r"xai-[A-Za-z0-9]{70,90}"),
)

_NAME = r"[A-Za-z0-9_.\-]{0,40}"
#: Between a name and its value: `=`, `:`, `=>`, with quotes around the name perhaps, or a type after it; the comma
#: of a call; and what comes before a default: `os.environ.get("NAME") or`, `process.env.NAME ??`. The value may
#: stand on the next line.
_SAYS = (
    r"""(?:[A-Za-z0-9_.\-]{0,40}(?:\]|\\?["'`])?\]?[ \t]{0,8}"""
    r"""(?:=>?|:=?|:[ \t]?[A-Za-z_.\[\]|&'<>? ]{2,30}=|\)?[ \t]?(?:\|\||\?\?|\?:|\bor\b)|\)[ \t]?\{)"""
    r"""[ \t]{0,8}[(\\]?[ \t\r\n]{0,24}|[A-Za-z0-9_]{0,40}\\?["'`][ \t]*,(?:[ \t]*default[ \t]*=)?[ \t\r\n]{0,8})"""
)
_QUOTED = r"""[bfru]{0,2}(?:\\?"([^"\\\r\n]{6,400})\\?"|\\?'([^'\\\r\n]{6,400})\\?'|`([^`\\\r\n]{6,400})`)"""
#: Without quotes: in .env, in YAML, in an INI file, in a header; to the end of the line or a comment.
_BARE = r"""([^\s"'`<>()\[\]{},;\\$|][^\s"'`<>()\[\]{},;\\|]{7,400})(?:[ \t]*(?:\\n|\\r|$|[\r\n]|[ \t]#)|[ \t;&"'])"""
#: As a shell has it: one word, in quotes or not.
_WORD = r"""\\?["']?([^\s"'`<>$\\,;()][^\s"'`<>\\,;()]{5,400})"""
_BY_LOCK = r"(?:pass(?:word|wd|phrase|code)|pwd|_pass\b|contrase)"
_BY_NAME = (
    r"(?:secret|token|api[_.\-]?key|access[_.\-]?key|auth[_.\-]?key|private[_.\-]?key|client[_.\-]?key"
    r"|account[_.\-]?key|signing[_.\-]?key|encryption[_.\-]?key|service[_.\-]?key|master[_.\-]?key"
    r"|shared[_.\-]?access[_.\-]?(?:key|signature)|credential|auth[_.\-]?(?:code|pass)|api[_.\-]?pass)"
)
_EITHER = rf"(?:{_BY_LOCK}|{_BY_NAME})"

_OWN: tuple[Rule, ...] = (
    *(Rule(name, pattern, "token", 2.5) for name, pattern in TOKENS),
    Rule(
        "private-key",
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:[A-Za-z0-9+/=\s\\:,.\-'\"]*?[A-Za-z0-9+/]{24})"
        r"[A-Za-z0-9+/=\s\\:,.\-'\"]*?-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----",
        "block",
    ),
    Rule(
        # One that was cut off: what is left of it is secret too.
        "private-key",
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:\\n|\\r|[\s'\",+])*"
        r"((?:[A-Za-z0-9+/=]{24,}(?:\\n|\\r|[\s'\",+])*)+)",
        "block",
    ),
    Rule("azure-storage-key", r"(?i)account_?key\s*[=:]\s*['\"]?([A-Za-z0-9+/]{86}==)", "keyed", 3.5),
    Rule("azure-sas", r"(?:[?&]|\\u0026)sig=([A-Za-z0-9%+/]{40,100}(?:=|%3[dD])?)", "keyed", 3.5),
    Rule("aws-secret-key", r"(?i)aws.{0,40}?['\"=: \t]([A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+]|$)", "keyed", 4.0),
    Rule(
        "connection-string",
        r"://[^\s:/@'\"`<>]{0,128}:([^\s/@'\"`<>]{3,200})@",
        "url",
        1.5,
    ),
    Rule("connection-string", r"https?://([A-Za-z0-9_.~\-]{16,200})@[A-Za-z0-9]", "given", 3.0),
    Rule("connection-string", rf"(?i)[?&]{_NAME}{_EITHER}=([^\s&;\"'`<>${{}}\\]{{6,400}})", "given", 2.3),
    Rule("connection-string", r"(?i)[;'\"](?:password|pwd) ?= ?([^;'\"\s]{4,200})[;'\"]", "password", 1.5),
    Rule(
        "http-authorization",
        r"(?i)\b(?:bearer|basic|authorization\\?[\"']?\]?[ \t]*[:=,][ \t]*\\?[\"'`]?token) +"
        r"([A-Za-z0-9._~+/\-]{12,}={0,2})",
        "keyed",
        2.9,
    ),
    Rule("docker-auth", r"\\?\"_?auth\\?\"\s*:\s*\\?\"([A-Za-z0-9+/]{12,400}={0,2})\\?\"", "keyed", 2.9),
    Rule("npm-auth", rf"(?im)(?:^|[^A-Za-z0-9])_auth(?:token)?[ \t]*[ =:][ \t]*{_WORD}", "keyed", 2.9),
    Rule(
        "netrc",
        r"(?i)\blogin\s+[^\s\"']{1,64}\s+password\s+([^\s\"'`<>$\\][^\s\"'`<>\\]{5,200})",
        "given",
        2.3,
    ),
    Rule(
        "user-and-password",
        r"(?i)\b(?:curl|https?|xh|wget)(?:[ \t][^\n]{0,200}?)?[ \t](?:-u|-a|--user|--auth|--proxy-user)"
        r"[ \t=]{1,3}\\?[\"']?[^\s:\"'$]{1,64}:\\?[\"']?([^\s\"'`<>$\\][^\s\"'`<>\\]{5,200})",
        "given",
        2.3,
    ),
    Rule(
        "option",
        r"(?i)\b(?:mysql[a-z]*|mariadb[a-z\-]*|sshpass|docker login|podman login|registry login|redis-cli|mongo[a-z]*"
        rf"|az login|ldapsearch)[ \t][^\n]{{0,200}}?-[pwa][ \t]{{0,2}}{_WORD}",
        "given",
        2.3,
    ),
    Rule("password", rf"(?i){_BY_LOCK}{_SAYS}{_QUOTED}", "password", 2.3),
    Rule("password", rf"(?im){_BY_LOCK}{_NAME}[ \t]{{0,4}}[=:][ \t]{{0,8}}{_BARE}", "password", 2.7),
    Rule("secret", rf"(?i){_BY_NAME}{_SAYS}{_QUOTED}", "keyed", 2.7),
    Rule("secret", rf"(?im){_BY_NAME}{_NAME}[ \t]{{0,4}}[=:][ \t]{{0,8}}{_BARE}", "keyed", 2.7),
    Rule(
        "secret",
        rf"(?i)(?:{_EITHER}|\bkey)(?: is| was|:|=)? +\\?[\"'`(]?([^\s\"'`(),;<>\\]{{12,400}})",
        "prose",
        3.3,
    ),
    Rule(
        # A shell's or Spring's default, an element or attribute of XML, an entry of a list of variables, a
        # variable of Terraform.
        "secret",
        rf"(?i)(?:\$\{{{_NAME}{_EITHER}{_NAME}:[\-=]?|<[A-Za-z0-9_.:\-]{{0,40}}{_EITHER}>"
        rf"|(?:key|name)[=:][ \t]*[\"']?{_NAME}{_EITHER}{_NAME}[\"']?\s{{1,24}}value[=:][ \t]*[\"']?"
        rf"|variable[ \t]{{1,8}}\"{_NAME}{_EITHER}{_NAME}\"[ \t]{{0,8}}\{{[^}}]{{0,200}}?"
        r"default[ \t]{0,16}=[ \t]{0,8}\")"
        r"([^\s\"'`<>${}\\][^\s\"'`<>{}\\]{5,400})",
        "given",
        2.3,
    ),
    Rule(
        # YAML's text on the lines that follow.
        "secret",
        rf"(?i){_EITHER}{_NAME}[\"']?:[ \t]*[|>][\-+0-9]{{0,2}}[ \t]*(?:\r?\n|\\n)"
        r"((?:[ \t]+[A-Za-z0-9+/=_.!@#%^&*?~\-]{6,}(?:\r?\n|\\n|$))+)",
        "lines",
        2.3,
    ),
    Rule(
        "option",
        r"(?im)(?:^|[\s\"'\[(,=])--?(?:[a-z]{2,12}-)?(?:password|passwd|passphrase|pass|token|api-?key|secret|secret-?key|access-?key|auth)"
        rf"(?:[= ]|\\?[\"'],[ \t]*[\"']){_WORD}",
        "given",
        2.5,
    ),
)

#: An escape or a class, which stay, or how often something is repeated. Classes within classes we have none.
_REPEATED = re.compile(r"\\.|\[\^?\]?[^\]\\]*(?:\\.[^\]\\]*)*\]|\{(\d+)(?:,\d*)?\}", re.DOTALL)


def loosened(pattern: str) -> str:
    """The pattern with no count of what is repeated: to compile, a tenth of the work."""
    return _REPEATED.sub(
        lambda found: found[0] if found[1] is None else "*" if found[1] == "0" else "+", pattern
    )


OWN: tuple[Rule, ...] = tuple(replace(rule, loose=loosened(rule.pattern)) for rule in _OWN)
