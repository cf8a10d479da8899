// One query with its table and graph.
import { ActionIcon, Alert, Button, Group, Menu, Stack, Tabs, Text } from '@mantine/core'
import {
  IconChartLine,
  IconCopy,
  IconDotsVertical,
  IconPlayerPlay,
  IconTable,
  IconTrash,
  IconWand,
} from '@tabler/icons-react'
import { useRef, useState, type ReactNode } from 'react'
import { apiPost } from '../../api/client.ts'
import { Editor } from './Editor.tsx'
import { GraphTab } from './GraphTab.tsx'
import type { PanelState } from './panel-state.ts'
import { TableTab } from './TableTab.tsx'

interface PanelProps {
  readonly state: PanelState
  readonly autoFocus: boolean
  readonly onChange: (state: PanelState) => void
  readonly onDuplicate: () => void
  readonly onRemove?: () => void
}

export function Panel({ state, autoFocus, onChange, onDuplicate, onRemove }: PanelProps): ReactNode {
  const [draft, setDraft] = useState(state.expr)
  const draftRef = useRef(draft)
  const [runs, setRuns] = useState(0)
  const [problem, setProblem] = useState<string>()
  const [status, setStatus] = useState('')
  const edit = (text: string): void => {
    draftRef.current = text
    setDraft(text)
  }
  const run = (): void => {
    setRuns((n) => n + 1)
    onChange({ ...state, expr: draftRef.current.trim() })
  }
  const format = async (): Promise<void> => {
    try {
      setProblem(undefined)
      edit((await apiPost<string>('format_query', { query: draftRef.current })).data)
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error))
    }
  }
  return (
    <section className="wf-panel" aria-label="Query">
      <Group
        gap="xs"
        p="xs"
        justify="flex-end"
        align="flex-start"
        style={{ borderBottom: '1px solid light-dark(#e3e6ea, #2b313a)' }}
      >
        <Editor value={draft} onChange={edit} onRun={run} autoFocus={autoFocus} />
        <Group gap="xs" wrap="nowrap">
          <Button onClick={run} leftSection={<IconPlayerPlay size={15} />} mt={2}>
            Run
          </Button>
          <Menu position="bottom-end">
            <Menu.Target>
              <ActionIcon variant="subtle" color="gray" size={36} aria-label="Query menu" mt={2}>
                <IconDotsVertical size={18} />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item leftSection={<IconWand size={16} />} onClick={() => void format()}>
                Format expression
              </Menu.Item>
              <Menu.Item leftSection={<IconCopy size={16} />} onClick={onDuplicate}>
                Duplicate query
              </Menu.Item>
              {onRemove && (
                <Menu.Item color="red" leftSection={<IconTrash size={16} />} onClick={onRemove}>
                  Remove query
                </Menu.Item>
              )}
            </Menu.Dropdown>
          </Menu>
        </Group>
      </Group>
      {problem !== undefined && (
        <Alert color="red" m="xs" withCloseButton onClose={() => setProblem(undefined)}>
          {problem}
        </Alert>
      )}
      <Tabs
        value={state.tab}
        onChange={(tab) => onChange({ ...state, tab: tab === 'graph' ? 'graph' : 'table' })}
        keepMounted={false}
      >
        <Tabs.List>
          <Tabs.Tab value="table" leftSection={<IconTable size={15} />}>
            Table
          </Tabs.Tab>
          <Tabs.Tab value="graph" leftSection={<IconChartLine size={15} />}>
            Graph
          </Tabs.Tab>
          <Text size="xs" c="dimmed" ml="auto" px="sm" style={{ alignSelf: 'center' }} role="status">
            {status}
          </Text>
        </Tabs.List>
        <Stack p="sm" gap="sm">
          {state.tab === 'table' ? (
            <TableTab state={state} runs={runs} onChange={onChange} onStatus={setStatus} />
          ) : (
            <GraphTab state={state} runs={runs} onChange={onChange} onStatus={setStatus} />
          )}
        </Stack>
      </Tabs>
    </section>
  )
}
