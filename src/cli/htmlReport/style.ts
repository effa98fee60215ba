/** The style sheet of the page. */
import { SHADES } from "./matrix.ts";

/** Shades of the confusion matrix, light enough that text in the usual colour stands on the strongest one. */
const shades = Array.from({ length: SHADES }, (_, i) => {
  const opacity = ((i + 1) * 6) / 100;
  return `.hit${i + 1}{background:rgb(var(--training) / ${opacity})}.miss${i + 1}{background:rgb(var(--heldout) / ${opacity})}`;
}).join("\n");

export const STYLE = `
:root{color-scheme:light dark;--page:#f6f7f9;--panel:#fff;--ink:#1b1f27;--faint:#5b6472;--rule:#dfe3e9;--training:37 99 235;--heldout:217 72 15}
@media (prefers-color-scheme:dark){:root{--page:#0e1116;--panel:#171b22;--ink:#e8ecf2;--faint:#9aa4b2;--rule:#2b323d;--training:96 154 255;--heldout:255 146 72}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:1080px;margin:0 auto;padding:32px 24px 48px}
h1,h2,h3,p,figure,ul,dl,dd{margin:0;padding:0}
h1{font-size:30px;line-height:1.2;letter-spacing:-.01em}
h2{font-size:19px;line-height:1.3}
h3{font-size:16px}
ul{list-style:none}
.kicker{color:var(--faint);font-size:14px;margin-bottom:4px}
.note,caption{color:var(--faint);font-size:14px}
.tiles{display:grid;grid-template-columns:repeat(4,1fr);gap:12px;margin-top:20px}
.tiles div,section{background:var(--panel);border:1px solid var(--rule);border-radius:10px}
.tiles div{padding:12px 16px}
.tiles dt{color:var(--faint);font-size:14px}
.tiles dd{font-size:24px;font-weight:600;line-height:1.3;font-variant-numeric:tabular-nums}
.tiles dd+dd{font-size:14px;font-weight:400;color:var(--faint)}
section{margin-top:16px;padding:18px 20px 20px}
section>.note{margin:2px 0 14px}
h2+div{margin-top:2px}
.charts{display:grid;grid-template-columns:1fr 1fr;gap:12px 28px}
.chart figcaption{display:flex;flex-wrap:wrap;align-items:baseline;gap:0 16px;font-size:14px;font-variant-numeric:tabular-nums}
.key::before{content:"";display:inline-block;vertical-align:middle;width:18px;height:0;margin-right:6px;border-top:3px solid rgb(var(--training))}
.key.heldout::before{width:9px;height:9px;border:0;border-radius:50%;background:rgb(var(--heldout))}
svg{display:block;width:100%;height:auto;margin-top:6px}
svg text{fill:var(--faint);font-size:12px;font-variant-numeric:tabular-nums}
.grid{stroke:var(--rule);stroke-width:1}
.line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.line.training{stroke:rgb(var(--training));stroke-width:1.6}
.line.heldout{stroke:rgb(var(--heldout))}
circle.heldout{fill:rgb(var(--heldout));stroke:var(--panel);stroke-width:1.5}
details{margin-top:10px;font-size:14px}
summary{cursor:pointer;color:var(--faint)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:14px;font-variant-numeric:tabular-nums}
caption{text-align:left;padding-bottom:8px}
.numbers{margin-top:8px}
.numbers th,.numbers td{padding:3px 16px 3px 0;text-align:right;font-weight:400;white-space:nowrap}
.numbers thead th{color:var(--faint);border-bottom:1px solid var(--rule)}
.matrix{width:100%;max-width:860px;border-collapse:separate;border-spacing:2px}
.matrix th,.matrix td{padding:6px 4px;text-align:center;border-radius:4px}
.matrix th{color:var(--faint);font-weight:600}
.matrix thead th{width:8%}
.matrix td[class^="hit"]{font-weight:600}
.matrix .hit0,.matrix .miss0{color:var(--faint);background:rgb(128 128 128 / .06);font-weight:400}
.matrix .found,.matrix thead th:last-child{text-align:right;padding-left:8px;white-space:nowrap}
${shades}
.pictures{display:grid;gap:12px}
.pictures img{display:block;width:100%;height:auto;border-radius:6px;image-rendering:pixelated}
.mistakes{grid-template-columns:repeat(auto-fill,minmax(124px,1fr));gap:20px 16px}
.mistakes figcaption{margin-top:6px;font-size:14px;line-height:1.4}
.mistakes b{font-size:16px}
.mistakes dl{display:grid;grid-template-columns:auto 1fr;gap:0 10px;color:var(--faint);font-size:13px;font-variant-numeric:tabular-nums}
.mistakes dd{text-align:right}
.file{color:var(--faint);font-size:12px;line-height:1.3;overflow-wrap:anywhere}
.filters{grid-template-columns:repeat(auto-fill,minmax(76px,1fr))}
.filters img{border:1px solid var(--rule)}
.filters figcaption{text-align:center;color:var(--faint);font-size:13px;margin-top:3px}
.scale{display:flex;align-items:center;gap:10px;color:var(--faint);font-size:13px;margin-bottom:12px;font-variant-numeric:tabular-nums}
.scale .bar{width:140px;height:10px;border-radius:5px;border:1px solid var(--rule);background:linear-gradient(90deg,rgb(47 111 222),rgb(47 111 222 / 0) 50%,rgb(232 104 16 / 0) 50%,rgb(232 104 16))}
.settings{display:grid;grid-template-columns:max-content 1fr;gap:4px 24px;font-size:15px}
.settings dt{color:var(--faint)}
.settings dd{overflow-wrap:anywhere}
code,pre{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
code{overflow-wrap:anywhere}
.command span{display:inline-block}
pre{margin:0}
.command{margin-top:14px;font-size:15px}
.command code{display:block;margin-top:4px;padding:8px 12px;border-radius:6px;background:var(--page);border:1px solid var(--rule)}
footer{margin-top:20px;color:var(--faint);font-size:14px}
a{color:inherit}
@media (max-width:720px){
main{padding:20px 12px 32px}
h1{font-size:24px}
.tiles,.charts{grid-template-columns:1fr 1fr}
.tiles{gap:8px}
.tiles div{padding:10px 12px}
.tiles dd{font-size:21px}
.charts{grid-template-columns:1fr}
section{padding:14px 14px 16px}
.matrix{font-size:10px;border-spacing:1px}
.matrix th,.matrix td{padding:5px 0;border-radius:3px}
.matrix .found,.matrix thead th:last-child{padding-left:2px}
.matrix td[class^="hit"]{font-weight:400}
.mistakes{grid-template-columns:repeat(auto-fill,minmax(98px,1fr));gap:16px 12px}
.filters{grid-template-columns:repeat(auto-fill,minmax(60px,1fr))}
.settings{gap:4px 14px}
pre{font-size:11px}
.chart figcaption{gap:0 12px;font-size:13px}
}
`;
