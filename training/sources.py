"""The public repositories that the built-in models learn from, each at one commit, with its licence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """One repository: `uses` says what is read of it.

    "tokens": its files, for the token counter. "world": its translations, for the same.
    "subjects": its commit subjects, for the classifier.
    "subjects-test": its commit subjects, set aside to measure the classifier and never trained on.
    """

    repository: str
    commit: str
    licence: str
    uses: tuple[str, ...]


SOURCES = (
    Source("apache/apisix", "f519a0f04ccfd4c13b5d06caf34bcde8c8593980", "Apache-2.0", ("world",)),
    Source("apache/opendal", "68a76e499f57fbf707de0bee9b33e47721c45eb6", "Apache-2.0", ("subjects",)),
    Source("appium/appium", "17be28c7500383754592cfe8f78d104aaac6a597", "Apache-2.0", ("tokens", "subjects")),
    Source(
        "aquasecurity/trivy",
        "dc3c56eed58ab21c7e08d26757c517bc946a86c5",
        "Apache-2.0",
        ("tokens", "subjects-test"),
    ),
    Source("argoproj/argo-cd", "37ee0097cf851bc2dd7665fc081bbce61a7e836e", "Apache-2.0", ("subjects",)),
    Source("biomejs/biome", "18883b7dafb8f9581534508fdd5b1e34632f2724", "MIT or Apache-2.0", ("subjects",)),
    Source("casbin/casbin", "12ac0c9a42e0245be6da0244737309e369aa4869", "Apache-2.0", ("tokens", "subjects")),
    Source(
        "charmbracelet/bubbletea", "73b6d91ac1c3854dd4af046ab5f9e51d3b3b4290", "MIT", ("tokens", "subjects")
    ),
    Source(
        "cloudwego/kitex", "72ad8a8db57e53846c656e56dce4e3c873d86161", "Apache-2.0", ("tokens", "subjects")
    ),
    Source(
        "commitizen-tools/commitizen",
        "b66582e9462d1d6f7e72560fa49a1b2511ae30a2",
        "MIT",
        ("tokens", "subjects"),
    ),
    Source(
        "conventional-changelog/commitlint", "1fd1be00701ab48c9baa964e3b8c0c36a451ccc4", "MIT", ("subjects",)
    ),
    Source(
        "conventional-changelog/conventional-changelog",
        "340ad83ee93939fc4a8c8f2da1bf728111299941",
        "ISC",
        ("subjects",),
    ),
    Source(
        "deepset-ai/haystack",
        "c7cb46c0f28ad1984f60e5d3e9404b124a221437",
        "Apache-2.0",
        ("tokens", "subjects-test"),
    ),
    Source("electron/forge", "79a582a8b68b9f048b04015764364e951e874499", "MIT", ("subjects",)),
    Source(
        "encode/django-rest-framework", "751a19fe1b237beca9af7d587fce55d3e09d3741", "BSD-3-Clause", ("world",)
    ),
    Source("eslint/eslint", "c27bc926e496985eb7911c09eb60914b2e4b5d0f", "MIT", ("tokens", "subjects")),
    Source(
        "feast-dev/feast", "f0bc0700be7029166e6605e407de6d229cd1e93e", "Apache-2.0", ("tokens", "subjects")
    ),
    Source("go-kratos/kratos", "668db92c2c001e9552594ba5a8aede8456af6d7e", "MIT", ("subjects",)),
    Source(
        "googleapis/release-please", "fdaca293b5c9215c7bcae72dd228ba9558120817", "Apache-2.0", ("subjects",)
    ),
    Source(
        "goreleaser/goreleaser", "cd616d2c080b205bfe0833396e6f2d208253095e", "MIT", ("tokens", "subjects")
    ),
    Source(
        "ibis-project/ibis", "02de318597c39a532e36193fc07352ef62768e1b", "Apache-2.0", ("tokens", "subjects")
    ),
    Source("influxdata/telegraf", "b27263146617cefe16c0b300107b58b111a7fa57", "MIT", ("tokens", "subjects")),
    Source("karma-runner/karma", "84f85e7016efc2266fa6b3465f494a3fa151c85c", "MIT", ("tokens", "subjects")),
    Source("lerna/lerna", "35d15a1567932be97759f512d8b8033dad72b411", "MIT", ("tokens", "subjects")),
    Source(
        "litestar-org/litestar",
        "8bd57248db3fd69aeda9c1ad6250aee2dbabf2b2",
        "MIT",
        ("tokens", "subjects-test"),
    ),
    Source("marimo-team/marimo", "3955fdf90363be561e94fb0052dae4cee58a6a61", "Apache-2.0", ("subjects",)),
    Source(
        "narwhals-dev/narwhals", "7880b36c45051dd6dea3c1b878bdc2f913d8efec", "MIT", ("tokens", "subjects")
    ),
    Source("nuxt/nuxt", "4e0099839c3ea0483e6dc639e4be6d9bdffc3e56", "MIT", ("tokens", "subjects")),
    Source(
        "open-telemetry/opentelemetry-js",
        "61126358cb5cf06a2004151cbad18e79cbede00a",
        "Apache-2.0",
        ("tokens", "subjects"),
    ),
    Source("pdm-project/pdm", "a7e9d0015b4d5ca5d1b0c558582f9bf41b2fdf54", "MIT", ("tokens", "subjects")),
    Source("pola-rs/polars", "4db92c12c08c390f95b517a00ae0afe818e1abf6", "MIT", ("tokens", "subjects")),
    Source(
        "python-semantic-release/python-semantic-release",
        "c74aa3b99de6d9c721f8bd6d2abfa142298b94c9",
        "MIT",
        ("subjects",),
    ),
    Source(
        "python/peps", "ba4deeb7969588d937da609008d05bb83a47b1ab", "public domain or CC0-1.0", ("tokens",)
    ),
    Source(
        "ReactiveX/rxjs", "54796b38a57e6309f9861e174737479bb3f63f61", "Apache-2.0", ("tokens", "subjects")
    ),
    Source("rust-lang/book", "917544888a55e4da7109bdba8c88c893c0da70f4", "MIT or Apache-2.0", ("tokens",)),
    Source("rust-lang/rfcs", "354518a8c9025f40be6f730452c1bfe71a12dc22", "MIT or Apache-2.0", ("tokens",)),
    Source(
        "semantic-release/semantic-release",
        "8d905a56e80030c141a71a32c0c4cb870e90470a",
        "MIT",
        ("subjects-test",),
    ),
    Source("sigoden/aichat", "82976d349ad97ac9aae0655ad631dace5e2a6385", "MIT or Apache-2.0", ("subjects",)),
    Source("sphinx-doc/sphinx", "e44a40eb2f810558ccd9da1425421270ccb81351", "BSD-2-Clause", ("world",)),
    Source("sveltejs/kit", "aa810a04146b98b77592f7b384347140d29ff599", "MIT", ("subjects",)),
    Source("tree-sitter/tree-sitter", "74b7d0c951ebdab16a8a4d64e7cf81e56046408a", "MIT", ("subjects",)),
    Source(
        "typescript-eslint/typescript-eslint",
        "56c9ed90d0aee0b5a71cfc39fc76b715b82e3ea8",
        "MIT",
        ("tokens", "subjects"),
    ),
    Source("unjs/nitro", "14b4891feba62080a5fa90fb8f5988fc06df2beb", "MIT", ("subjects",)),
    Source(
        "uptrace/bun", "0e5e8682686253e24add0e8512d351d5e32dd9bf", "BSD-2-Clause", ("tokens", "subjects-test")
    ),
    Source("vitejs/docs-es", "ceab6516303316a00310befa240c13722dd64b3e", "MIT", ("world",)),
    Source("vitejs/docs-ja", "3237ae23aba865919bc6b2f7e68a784ea64c51ac", "MIT", ("world",)),
    Source("vitejs/docs-ko", "7cec40882780a30be887a9e7bacaa6e936868d6b", "MIT", ("world",)),
    Source("vitejs/vite", "a98c8d95d552c6fa98ab66fb810f5b39ad5abf49", "MIT", ("tokens", "subjects")),
    Source("vitest-dev/vitest", "c3ba16b35847d27fb9f01f38cdcb047c77e121f8", "MIT", ("tokens", "subjects")),
    Source("vuejs/core", "e2bede96134f757aad5c5b33ac9be055022dbfc8", "MIT", ("tokens", "subjects-test")),
    Source("vuejs/pinia", "254eec764ecccd120ab9dbc31352d76ffd6ecfa3", "MIT", ("subjects",)),
    Source("yargs/yargs", "2a4378bdc2eac9cf7d0cdfe0a52b1b25f779806a", "MIT", ("tokens", "subjects")),
    Source("zeromicro/go-zero", "11f21098ddd95a58f801920fea4f0543d4d01586", "MIT", ("tokens", "subjects")),
)


def sources(use: str) -> list[Source]:
    """The sources of one use, in the table's order."""
    return [source for source in SOURCES if use in source.uses]
