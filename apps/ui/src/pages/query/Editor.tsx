// PromQL input: highlighting, completion and lint by the field's own CodeMirror grammar. Enter runs, Shift+Enter breaks the line.
import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap, insertNewlineAndIndent } from '@codemirror/commands'
import { bracketMatching, HighlightStyle, syntaxHighlighting } from '@codemirror/language'
import { lintKeymap } from '@codemirror/lint'
import { Compartment, EditorState, Prec } from '@codemirror/state'
import { EditorView, keymap, placeholder } from '@codemirror/view'
import { tags } from '@lezer/highlight'
import { useComputedColorScheme } from '@mantine/core'
import { PromQLExtension } from '@prometheus-io/codemirror-promql'
import { useEffect, useRef, type ReactNode } from 'react'

interface EditorProps {
  readonly value: string
  readonly onChange: (value: string) => void
  readonly onRun: () => void
  readonly autoFocus?: boolean
}

const highlight = (dark: boolean): HighlightStyle =>
  HighlightStyle.define([
    { tag: tags.number, color: dark ? '#7cc4ff' : '#0b62c4' },
    { tag: tags.string, color: dark ? '#8fd694' : '#1b7f3b' },
    { tag: tags.keyword, color: dark ? '#ff9e64' : '#b34700', fontWeight: '600' },
    { tag: tags.function(tags.variableName), color: dark ? '#d2a8ff' : '#7c3aed' },
    { tag: tags.labelName, color: dark ? '#ffd166' : '#8a5a00' },
    { tag: tags.operator, color: dark ? '#9aa4b2' : '#5b6570' },
    { tag: tags.modifier, color: dark ? '#ff9e64' : '#b34700' },
    { tag: tags.paren, color: dark ? '#9aa4b2' : '#5b6570' },
    { tag: tags.comment, color: dark ? '#6b7480' : '#8b949e', fontStyle: 'italic' },
    { tag: tags.invalid, color: '#e5484d' },
  ])

const look = EditorView.theme({
  '&': { fontSize: '14px', backgroundColor: 'transparent' },
  '&.cm-focused': { outline: 'none' },
  '.cm-content': { fontFamily: 'var(--mantine-font-family-monospace)', padding: '9px 4px' },
  '.cm-scroller': { maxHeight: '240px' },
  '.cm-tooltip': {
    border: '1px solid light-dark(#d5dae0, #3a424d)',
    backgroundColor: 'light-dark(#fff, #1c2027)',
    borderRadius: '6px',
  },
  '.cm-tooltip-autocomplete ul li[aria-selected]': {
    backgroundColor: 'light-dark(#ffe3c7, #4a331d)',
    color: 'inherit',
  },
  '.cm-completionDetail': { opacity: 0.6, fontStyle: 'normal' },
  '.cm-cursor': { borderLeftColor: 'light-dark(#111, #eee)' },
})

export function Editor({ value, onChange, onRun, autoFocus }: EditorProps): ReactNode {
  const holder = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView>(undefined)
  const colors = useRef(new Compartment())
  const dark = useComputedColorScheme('light') === 'dark'
  const callbacks = useRef({ onChange, onRun })
  useEffect(() => {
    callbacks.current = { onChange, onRun }
  })

  useEffect(() => {
    const promql = new PromQLExtension()
      .activateCompletion(true)
      .activateLinter(true)
      .setComplete({ remote: { url: '', cache: { maxAge: 60_000 } } })
    const editor = new EditorView({
      parent: holder.current!,
      state: EditorState.create({
        doc: value,
        extensions: [
          history(),
          bracketMatching(),
          closeBrackets(),
          autocompletion({ maxRenderedOptions: 60 }),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ 'aria-label': 'PromQL expression' }),
          placeholder('Expression, e.g. sum by (model_name) (rate(ml_predictions_total[5m]))'),
          promql.asExtension(),
          colors.current.of(syntaxHighlighting(highlight(dark))),
          look,
          Prec.high(
            keymap.of([
              { key: 'Shift-Enter', run: insertNewlineAndIndent },
              {
                key: 'Enter',
                run: () => {
                  callbacks.current.onRun()
                  return true
                },
              },
              {
                key: 'Escape',
                run: (target) => {
                  target.contentDOM.blur()
                  return false
                },
              },
            ]),
          ),
          // The completion list takes Enter first when it is open.
          Prec.highest(keymap.of(completionKeymap)),
          keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...lintKeymap]),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) callbacks.current.onChange(update.state.doc.toString())
          }),
        ],
      }),
    })
    view.current = editor
    if (autoFocus) editor.focus()
    return () => editor.destroy()
    // The editor lives as long as its panel; later values come through the effect below.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [])

  useEffect(() => {
    const editor = view.current
    if (editor && editor.state.doc.toString() !== value)
      editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } })
  }, [value])

  useEffect(() => {
    view.current?.dispatch({ effects: colors.current.reconfigure(syntaxHighlighting(highlight(dark))) })
  }, [dark])

  return <div ref={holder} style={{ flex: '1 1 260px', minWidth: 0 }} />
}
