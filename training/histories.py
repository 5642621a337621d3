"""More repositories whose histories the classifier learns from, each at one commit, with its licence."""

from __future__ import annotations

from sources import SOURCES, Source

#: A line each: whether it is learnt from, kept apart, or kept for the last look; the repository, commit and licence.
#: The twelve that are kept apart, and later the six that are kept for the last look, were drawn with the seed 20261121
#: before anything was tried.
_TABLE = """\
learnt anchore/syft bf82010f3c38508e30dd01ed8053f158513c0c9d Apache-2.0
learnt angular/angular-cli 9a1b250bbd3617ce66ff67730075dcda054b5e79 MIT
learnt angular/angular.js d8f77817eb5c98dec5317bc3756d1ea1812bcfbe MIT
learnt apache/answer 3b9f1370612e690a0b7f230f05e688930db4c6d3 Apache-2.0
learnt apache/dubbo-go 08a4387b7ea295b8068de0bc5cd64c3df92c9d48 Apache-2.0
learnt argoproj/argo-events 6478ece495f951dde9f183ae58fde134c52f41a5 Apache-2.0
learnt argoproj/argo-rollouts 9f8d111d8f8e3e88b6d7f8bbdf62fd3cd863ef9d Apache-2.0
apart argoproj/argo-workflows f016ad89eb269d282aec06dc491c29f396a38df4 Apache-2.0
apart Automattic/mongoose 3e212cec87dbf710216a3c6125121aefa60a4475 MIT
apart aws-powertools/powertools-lambda-python fa1c29f2d497a7c233f06eb69d0f7ee1b187a9e4 MIT-0
learnt aws/aws-sam-cli fe8f8dbb1160abce8ae13e0a4c5f8b456658afd3 Apache-2.0
learnt aws/jsii e7d83a374b820a8b34ee548f6f9469b7981d1fc2 Apache-2.0
learnt bcoe/c8 ee2f1cfc5584d41bb2d51b788d0953dab0c798f8 ISC
learnt bytedance/sonic 47cc3ed0c10b735127abdba4651b0f939949ff2a Apache-2.0
learnt casbin/node-casbin d086457c090732863c082419a866e8169b4a8cef Apache-2.0
learnt casdoor/casdoor e6b2338f8955455254ec2f48ef0a0390cbef9ec5 Apache-2.0
learnt charmbracelet/bubbles 10489b5fafe92bfaea873297cab8ac8b5c5237f4 MIT
learnt charmbracelet/glow 53788271b387c23b20b0db69fea2fd552593623b MIT
learnt charmbracelet/gum 4d089f95507708a71f64dacfe7ca513219dd5267 MIT
apart charmbracelet/lipgloss 5696b2800bc692e6cc372ee8232da6d3f7e7387f MIT
learnt clap-rs/clap 6982fb1c98c7247e38a6d4f04191b94e30497e7b MIT or Apache-2.0
apart cloudwego/hertz ae439beef0a5c1d79514becd406d2888b82c77ef Apache-2.0
apart commitizen/cz-cli 6eb168cea57b049bc2528ce225e334c5f6262a82 MIT
learnt conventional-changelog/standard-version d70752c463991d34fa192e0332d7e4efacad78ba ISC
learnt delta-io/delta-rs 2c996fa9bc1a765f6d829ce3b40008710a4888d7 Apache-2.0
learnt denoland/std ca58f9427152c946ce1c1bc287d290efde1fbab7 MIT
learnt docarray/docarray f5fc0f6d5f3dcb0201dc735262ef3256bdf054b9 Apache-2.0
learnt electron/fiddle 9ca8f1ab1d783a835078c49c8a7009e82a10c6e4 MIT
last falconry/falcon ce0a35b8fd02747cc72710202886874906b0d47a Apache-2.0
learnt folke/lazy.nvim 306a05526ada86a7b30af95c5cc81ffba93fef97 Apache-2.0
learnt go-task/task b250872d9aebcd4857679553339d167478b63514 MIT
learnt googleapis/nodejs-storage 5aa34a447ff6821ec594fef9a7ff361afded669a Apache-2.0
learnt googleapis/python-bigquery 24d45d0d5bf89762f253ba6bd6fdbee9d5993422 Apache-2.0
learnt googleapis/python-storage ab4997ce0f7b85947e84b226bd0edf6d714a946a Apache-2.0
last honojs/hono 28a9c128912de19f3fb28b00ae289c9b93f6f392 MIT
learnt hyperium/hyper 8fcaf1a62787b824fdd7b95a3e7c9ea81acd3449 MIT
apart ionic-team/stencil 30fc9f5985120e636eec8acbe2253145c97072d9 MIT
learnt istanbuljs/nyc 908620475199fa7b9ea0ea8b21d6d8ad6921e3ae ISC
learnt jestjs/jest 52db46e50404c993d3f10dd1481e861cc04ae22e MIT
learnt karma-runner/karma-jasmine 057bf014c4ff0901a772dca7b04b7aaa5606a179 MIT
learnt kestra-io/kestra 58c1ca2d0589c888328bacc3ee65e65dc4ba0a6a Apache-2.0
learnt lancedb/lance d2039d750a6a296585e7fca63428fb2139c7acd0 Apache-2.0
learnt lancedb/lancedb 45cd05347846bc2280103680e497e8fc0cdf480e Apache-2.0
learnt medusajs/medusa 59e6747800133e091d20c2c167f600981abc5c0d MIT
apart meltano/meltano c139d24b2ea4b711569483a93c2f321d05fd93b2 MIT
apart meltano/sdk 136de07f042d1d1b63eb83ba5d510a43273bad02 Apache-2.0
learnt mochajs/mocha e6b9ee773481fd739ae24caeb42f32ac0b010f95 MIT
last mongodb/node-mongodb-native bb35ded18aa1031d8e4be88cad4fc1cc1225b00e Apache-2.0
apart napi-rs/napi-rs 8681902ce671fc2010a6e40fe4e2c9557ec44fa6 MIT
last nodejs/undici 7eb7c8ec8f23acd9c3da93a286162f8c1dc68326 MIT
learnt npm/node-semver 6e05b7637396ac66522cff8731f07cfe0ef49a29 ISC
learnt numpy/numpy 1f90bbb55e65e7de68921bc3f1a2d94492fdf689 BSD-3-Clause
learnt nvim-treesitter/nvim-treesitter bd41519ff7901da11ba6e1c8f419f17f2d94305a Apache-2.0
learnt octokit/octokit.js f2d3153de93a5c1d1e12d2a73926e258485690a5 MIT
learnt octokit/rest.js f4b3e7da830d78f535c89665759bac65c60dca02 MIT
learnt openfga/openfga da9354f7e6704cef47e620ffa2e08212c08d5ad3 Apache-2.0
learnt orhun/git-cliff 5963160d7303111a217ee8453189d23a1c87925a MIT or Apache-2.0
learnt ory/hydra 83127c5752d907f52dd5f048a734c596c4316477 Apache-2.0
learnt ory/kratos b86338da04a040247a07f46100a86dcfb3875909 Apache-2.0
learnt oxc-project/oxc 288f9a5188b9409cd0dfa34c25a0419e5eb8443b MIT
learnt probot/probot 4ea8ea48f11a43bc8f7ceba978a0a502cbb3587e ISC
learnt projen/projen 9482fdf3aebd6d47ab5d7338a0bc8dffb5d8f846 Apache-2.0
learnt pypa/build b317437d2b5cddea5c7b45f72d1ae8af915e9815 MIT
learnt pypa/cibuildwheel 8832cf6b75594121646ec4e32692cc0ea3899f83 BSD-2-Clause
learnt python-attrs/attrs c1dc5dcba16ed827aa6dcad896b41a3afedb4e32 MIT
learnt remirror/remirror 73dca844eb12cd0fdabba1dab58d7ec01471d6f2 MIT
learnt rolldown/rolldown 12b5cd0d3b9931fe64e40ea2ff5fa68b4daded44 MIT
learnt scikit-build/scikit-build-core 120c8dc73fedac99e4b604dee69f9c3926dc7f25 Apache-2.0
learnt scikit-hep/awkward 6062e76d21b50e2ae83456bb793e00815e76af1e BSD-3-Clause
learnt scipy/scipy 3dbf660a919b1479cdf30d533176053b428d08d3 BSD-3-Clause
apart semantic-release/github b285843a01951ad7bbcb62815b5a698b25dda26a MIT
learnt semantic-release/npm 1e3495c7ba2fc63710c0bc585a20dc658013081f MIT
learnt sequelize/sequelize c7700944925914dd936e96ad2dabb4dbdf7e9477 MIT
learnt starship/starship 6f33dcec91b758ccbae4ed850eaa6feabff798f9 ISC
learnt statsmodels/statsmodels 82c59e378bdfb5ae324006c477954879ad3e24be BSD-3-Clause
last steveyegge/beads fbcee6c6246c874ed98a129d9c1ac22127d8c585 MIT
learnt supabase/auth bc32168e13fdc928c98b449fc76bc3fdb9a293c5 MIT
learnt supabase/supabase-js 381bded5ced48c4621830576bf8cbecc34edc85c MIT
learnt TanStack/query 40321a0b1b3bdd0afa11f0e439642ab84cdf6afe MIT
learnt tauri-apps/tauri a8105eccb2122f003b4a36bbfb747998f53c5f10 MIT or Apache-2.0
learnt typeorm/typeorm 281bfba42a5813b106bcf5ba79bc7f7251bd1e73 MIT
learnt unjs/consola c47faac1738b7383971c6c20b5a34ffa15e7cc3b MIT
apart unjs/h3 ac609aae8fa93947b564de55e2d1a6bec5ad18ad MIT
learnt unjs/ofetch dfbe3ca4ef8a22fc023fca5a5ef530e525f5e523 MIT
learnt unjs/unstorage afbb66ec266e0cec613cb087b49f75bf4deaaa41 MIT
learnt unocss/unocss a441ef4d8b14a20c0b3551383ae1b1e96940c0d2 MIT
learnt usememos/memos 76a762924306e782871204f131f4033be5e8e41a MIT
learnt videojs/video.js 1ce2b219f450842455e120518bf669e1d5b2ae38 Apache-2.0
learnt vuejs/language-tools 8c85e38870010ee69246ff9f88e38d9973aadd15 MIT
learnt vuejs/router b19cce24aaf561b154b23cd475ca112bd61f2d10 MIT
learnt vuejs/vitepress ed2bfb266ef788e86d1a73fe3cd7708a4cd5e260 MIT
learnt vuejs/vue-cli f0f254e4bc81ed322eeb9f7de346e987e845068e MIT
learnt vueuse/vueuse 1354e69588f601f721ce2b5e4328d7c3214a0c7e MIT
last webpack/webpack bc3e930f75e3f6ecbdf193a0dedf6067ea3a286b MIT
learnt withastro/starlight 3999be7cc18b41095d61e3b63d68ff3e6c6c050b MIT
""".splitlines()
_USES = {"learnt": "subjects", "apart": "subjects-apart", "last": "subjects-last"}


def _source(line: str) -> Source:
    part, repository, commit, licence = line.split(" ", 3)
    return Source(repository, commit, licence, (_USES[part],))


HISTORIES = tuple(map(_source, _TABLE))


def histories(use: str) -> list[Source]:
    """The sources of one use, those that other models share first."""
    return [source for source in (*SOURCES, *HISTORIES) if use in source.uses]
