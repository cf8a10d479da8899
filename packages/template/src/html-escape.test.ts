import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HtmlEscaper, SafeHtml, SafeUrl, TemplateSet, alertmanagerFunctions, type Value } from './index.ts'

async function render(template: string, dot: Value): Promise<string> {
  const set = new TemplateSet(alertmanagerFunctions(() => 0))
  return set.executeText(template, dot, { escaper: new HtmlEscaper() })
}

describe('values in HTML', () => {
  const f = (template: string, dot: Value, want: string) =>
    it(`are escaped in ${template}`, async () => expect(await render(template, dot)).toBe(want))
  f('<p>{{ . }}</p>', `<b a="1">&'+`, '<p>&lt;b a=&#34;1&#34;&gt;&amp;&#39;&#43;</p>')
  f('<p>{{ . }}</p>', new SafeHtml('<i>x</i>'), '<p><i>x</i></p>')
  f('<title>{{ . }}</title>', '</title><script>', '<title>&lt;/title&gt;&lt;script&gt;</title>')
  f('<a title="{{ . }}">', '" onclick="x', '<a title="&#34; onclick=&#34;x">')
  f('<a title={{ . }}>', 'a b', '<a title=a&#32;b>')
  f('<a href="{{ . }}">', 'javascript:alert(1)', '<a href="#ZgotmplZ">')
  f('<a href="{{ . }}">', new SafeUrl('tel:1'), '<a href="tel:1">')
  f('<a href="{{ . }}">', 'http://x/a b?q="1"', '<a href="http://x/a%20b?q=%221%22">')
  f('<a href="/x?q={{ . }}">', 'a/b&c', '<a href="/x?q=a%2fb%26c">')
  f('<p style="color: {{ . }}">', 'red; background: url(x)', '<p style="color: ZgotmplZ">')
  f('<script>x = {{ . }}</script>', '</script>', '<script>x = "\\u003c\\u002fscript\\u003e"</script>')
  f('<a {{ . }}="x">', 'onclick', '<a ZgotmplZ="x">')
  f('a<!-- {{ . }} -->b', 'x', 'ab')

  it('never open a tag', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ maxLength: 20 }), async (value) => {
        const out = await render('<a title="{{ . }}" href="{{ . }}">{{ . }}</a>', value)
        expect(out.match(/[<>]/g)).toHaveLength(4)
        expect(out.match(/"/g)).toHaveLength(4)
      }),
      { numRuns: 300 },
    )
  })
})
