// An expression that leads to the query page.
import { Code } from '@mantine/core'
import type { ReactNode } from 'react'
import { Link } from 'react-router'
import { NEW_PANEL, writePanels } from '../pages/query/panel-state.ts'

export function Expression({ expr }: { expr: string }): ReactNode {
  return (
    <Link
      to={`/query${writePanels([{ ...NEW_PANEL, expr, tab: 'graph' }])}`}

      style={{ textDecoration: 'none' }}
      title="Open in the query page"
    >
      <Code block fz={13} style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere', cursor: 'pointer' }}>
        {expr}
      </Code>
    </Link>
  )
}
