// Any number of query panels; their state is the address.
import { Button, Stack } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { useEffect, useState, type ReactNode } from 'react'
import { useLocation, useNavigate } from 'react-router'
import { Panel } from './Panel.tsx'
import { NEW_PANEL, readPanels, writePanels, type PanelState } from './panel-state.ts'

interface Entry {
  readonly id: number
  readonly state: PanelState
}

let nextId = 0
const withId = (state: PanelState): Entry => ({ id: nextId++, state })

export function QueryPage(): ReactNode {
  const location = useLocation()
  const navigate = useNavigate()
  const [panels, setPanels] = useState<Entry[]>(() => readPanels(location.search).map(withId))
  const written = panels.some((panel) => panel.state.expr !== '')
    ? writePanels(panels.map((panel) => panel.state))
    : ''

  useEffect(() => {
    if (written !== window.location.search) void navigate({ search: written }, { replace: true })
  }, [written, navigate])

  const change = (id: number, state: PanelState): void =>
    setPanels((all) => all.map((panel) => (panel.id === id ? { id, state } : panel)))
  return (
    <Stack gap="md">
      {panels.map((panel, i) => (
        <Panel
          key={panel.id}
          state={panel.state}
          autoFocus={i === 0}
          onChange={(state) => change(panel.id, state)}
          onDuplicate={() => setPanels((all) => [...all, withId(panel.state)])}
          {...(panels.length > 1 && {
            onRemove: () => setPanels((all) => all.filter((other) => other.id !== panel.id)),
          })}
        />
      ))}
      <Button
        variant="light"
        leftSection={<IconPlus size={16} />}
        style={{ alignSelf: 'flex-start' }}
        onClick={() => setPanels((all) => [...all, withId(NEW_PANEL)])}
      >
        Add query
      </Button>
    </Stack>
  )
}
