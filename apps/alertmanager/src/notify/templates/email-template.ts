// The HTML of mails. Mail programs ignore style sheets, so every element carries its whole style; the look is that of
// Mailgun's transactional templates, whose licence asks to be repeated in the text.

const FONT = "font-family: 'Helvetica Neue', Helvetica, Arial, sans-serif;"
const BOX = `${FONT} box-sizing: border-box;`
const SIZE = 'font-size: 14px;'
const RESET = `margin: 0; ${BOX}`
const BASE = `${RESET} ${SIZE}`

const styled = (...styles: string[]) => `style="${styles.join(' ')}"`
const base = styled(BASE)

const LICENCE = `
<!--
Style and HTML derived from https://github.com/mailgun/transactional-email-templates


The MIT License (MIT)

Copyright (c) 2014 Mailgun

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
-->
`

/** Rules for small screens, the only ones that need a sheet: `[selector, declarations]`. */
const SMALL_SCREEN: readonly (readonly [string, readonly string[]])[] = [
  ['body', ['padding: 0']],
  ['h1,\nh2,\nh3,\nh4', ['font-weight: 800', 'margin: 20px 0 5px']],
  ['h1', ['font-size: 22px']],
  ['h2', ['font-size: 18px']],
  ['h3', ['font-size: 16px']],
  ['.container', ['padding: 0', 'width: 100%']],
  ['.content', ['padding: 0']],
  ['.content-wrap', ['padding: 10px']],
  ['.invoice', ['width: 100%']],
]
const SHEET = SMALL_SCREEN.map(
  ([selector, lines]) => `  ${selector} {\n${lines.map((line) => `    ${line} !important;\n`).join('')}  }\n`,
).join('\n')

const HEAD = `<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" ${base}>
<head>
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Type" content="text/html; charset=UTF-8">
<title>{{ template "__subject" . }}</title>
<style>
@media only screen and (max-width: 640px) {
${SHEET}}
</style>
</head>
`

const TOP = 'vertical-align: top;'
const PLAIN_CELL = `<td ${styled(BASE, TOP)} valign="top"></td>`
const TABLE = 'cellpadding="0" cellspacing="0"'
const BREAK = `<br ${base}>`
const strong = (text: string) => `<strong ${base}>${text}</strong>`
const row = (...lines: string[]) => [
  `<tr ${base}>`,
  `  <td class="content-block" ${styled(BASE, TOP, 'padding: 0 0 20px;')} valign="top">`,
  ...lines.map((line) => `    ${line}`),
  '  </td>',
  '</tr>',
]
const indent = (width: number, lines: readonly string[]) =>
  lines.map((line) => (line === '' ? '' : ' '.repeat(width) + line)).join('\n')

/** The coloured bar that says how many alerts there are. `end` follows the last label. */
function banner(mood: 'warning' | 'good', color: string, end: string): string {
  const look =
    'font-size: 16px; color: #fff; font-weight: 500; padding: 20px; text-align: center; ' +
    `border-radius: 3px 3px 0 0; background-color: ${color};`
  return `            <td class="alert alert-${mood}" ${styled(RESET, TOP, look)} valign="top" align="center" bgcolor="${color}">
              {{ len .Alerts }} alert{{ if gt (len .Alerts) 1 }}s{{ end }} for {{ range .GroupLabels.SortedPairs }}
                {{ .Name }}={{ .Value }}${end}
              {{ end }}
            </td>`
}

const pairs = (map: string) => `{{ range .${map}.SortedPairs }}{{ .Name }} = {{ .Value }}${BREAK}{{ end }}`
const heading = (state: string) => row(strong(`[{{ len .Alerts.${state} }}] ${state}`))
const ALERT = row(
  `${strong('Labels')}${BREAK}`,
  pairs('Labels'),
  `{{ if .Annotations }}${strong('Annotations')}${BREAK}{{ end }}`,
  pairs('Annotations'),
  `<a href="{{ .GeneratorURL }}" ${styled(BASE, 'color: #348eda; text-decoration: underline;')}>Source</a>${BREAK}`,
)
const SEPARATOR = row(BREAK, `<hr ${base}>`, BREAK)

const alerts = (state: string, before: readonly string[] = []) => `                {{ if .Alerts.${state} }}
${indent(16, [...before, ...heading(state)])}
                {{ end }}
                {{ range .Alerts.${state} }}
${indent(16, ALERT)}
                {{ end }}
`

const BUTTON =
  'text-decoration: none; color: #FFF; background-color: #348eda; border: solid #348eda; border-width: 10px 20px; ' +
  'line-height: 2em; font-weight: bold; text-align: center; cursor: pointer; display: inline-block; ' +
  'border-radius: 5px; text-transform: capitalize;'
const PAGE =
  '-webkit-font-smoothing: antialiased; -webkit-text-size-adjust: none; height: 100%; line-height: 1.6em; ' +
  'background-color: #f6f6f6; width: 100%;'
const GREY = 'background-color: #f6f6f6; width: 100%;'
const CARD = 'background-color: #fff; border: 1px solid #e9e9e9; border-radius: 3px;'
const FOOT = 'padding: 0 0 20px; text-align: center; color: #999; font-size: 12px;'
const FOOT_LINK = 'text-decoration: underline; color: #999; font-size: 12px;'

const BODY = `
<body itemscope itemtype="https://schema.org/EmailMessage" ${styled(BASE, PAGE)}>

<table class="body-wrap" ${styled(BASE, GREY)} width="100%" bgcolor="#f6f6f6">
  <tr ${base}>
    ${PLAIN_CELL}
    <td class="container" width="600" ${styled(BOX, SIZE, TOP, 'display: block; max-width: 600px; margin: 0 auto; clear: both;')} valign="top">
      <div class="content" ${styled(BOX, SIZE, 'max-width: 600px; margin: 0 auto; display: block; padding: 20px;')}>
        <table class="main" width="100%" ${TABLE} ${styled(BASE, CARD)} bgcolor="#fff">
          <tr ${base}>
            {{ if .Alerts.Firing }}
${banner('warning', '#E6522C', '')}
            {{ else }}
${banner('good', '#68B90F', ' ')}
            {{ end }}
          </tr>
          <tr ${base}>
            <td class="content-wrap" ${styled(BASE, TOP, 'padding: 30px;')} valign="top">
              <table width="100%" ${TABLE} ${base}>
${indent(16, row(`<a href="{{ template "__alertmanagerURL" . }}" class="btn-primary" ${styled(BASE, BUTTON)}>View in {{ template "__alertmanager" . }}</a>`))}
${alerts('Firing')}
${alerts('Resolved', ['  {{ if .Alerts.Firing }}', ...SEPARATOR, '  {{ end }}'])}              </table>
            </td>
          </tr>
        </table>

        <div class="footer" ${styled(BASE, 'width: 100%; clear: both; color: #999; padding: 20px;')}>
          <table width="100%" ${base}>
            <tr ${base}>
              <td class="aligncenter content-block" ${styled(RESET, TOP, FOOT)} valign="top" align="center"><a href="{{ .ExternalURL }}" ${styled(RESET, FOOT_LINK)}>Sent by {{ template "__alertmanager" . }}</a></td>
            </tr>
          </table>
        </div></div>
    </td>
    ${PLAIN_CELL}
  </tr>
</table>

</body>
</html>

`

/** Defines `email.default.html`. */
export const EMAIL_TEMPLATE = `{{ define "email.default.html" }}${LICENCE}${HEAD}${BODY}{{ end }}`
