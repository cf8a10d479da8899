// Active alerts, grouped as they are notified.
import { Badge, Button, Checkbox, Group, Stack, Text, TextInput, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { IconSearch, IconVolumeOff } from '@tabler/icons-react'
import { useState, type ReactNode } from 'react'
import { useNavigate } from 'react-router'
import { ago } from '../api/format.ts'
import { Labels } from '../components/Labels.tsx'
import { OuterLink } from '../components/OuterLink.tsx'
import { Empty, Failed, Loading } from '../components/States.tsx'
import { am, type AlertGroup, type GettableAlert } from './api.ts'

export function GroupsPage(): ReactNode {
  const [muted, setMuted] = useState(true)
  const [words, setWords] = useState('')
  const { data, error } = useQuery({
    queryKey: ['groups'],
    queryFn: () => am<AlertGroup[]>('/api/v2/alerts/groups'),
    refetchInterval: 5000,
  })
  if (!data) return error ? <Failed error={error} /> : <Loading />
  const keep = (alert: GettableAlert): boolean =>
    (muted || alert.status.state !== 'suppressed') &&
    JSON.stringify([alert.labels, alert.annotations]).toLowerCase().includes(words.toLowerCase())
  const groups = data
    .map((group) => ({ ...group, alerts: group.alerts.filter(keep) }))
    .filter((group) => group.alerts.length > 0)
  return (
    <Stack>
      {error && <Failed error={error} />}
      <Group justify="space-between">
        <Title order={1} size="h3">
          Alerts
        </Title>
        <Group>
          <Checkbox
            size="xs"
            label="Silenced and inhibited"
            checked={muted}
            onChange={(event) => setMuted(event.currentTarget.checked)}
          />
          <TextInput
            size="xs"
            w={220}
            placeholder="Filter by label or text"
            aria-label="Filter alerts"
            leftSection={<IconSearch size={14} />}
            value={words}
            onChange={(event) => setWords(event.currentTarget.value)}
          />
        </Group>
      </Group>
      {groups.length === 0 && (
        <Empty title="No active alerts">All is quiet, or nothing matches the filter.</Empty>
      )}
      {groups.map((group) => (
        <section key={group.receiver.name + JSON.stringify(group.labels)} className="wf-panel">
          <Group px="md" py="xs">
            <Labels labels={group.labels} />
            <Badge variant="light">{group.receiver.name}</Badge>
            <Text size="xs" c="dimmed">
              {group.alerts.length} {group.alerts.length === 1 ? 'alert' : 'alerts'}
            </Text>
          </Group>
          {group.alerts.map((alert) => (
            <AlertRow key={alert.fingerprint} alert={alert} />
          ))}
        </section>
      ))}
    </Stack>
  )
}

function AlertRow({ alert }: { alert: GettableAlert }): ReactNode {
  const navigate = useNavigate()
  const suppressed = alert.status.state === 'suppressed'
  const reason =
    alert.status.silencedBy.length > 0
      ? 'silenced'
      : alert.status.inhibitedBy.length > 0
        ? 'inhibited'
        : 'muted'
  return (
    <Stack
      gap={6}
      px="md"
      py="sm"
      style={{ borderTop: '1px solid light-dark(#eceff2, #2b313a)', opacity: suppressed ? 0.65 : 1 }}
    >
      <Group gap="sm">
        <Badge color={suppressed ? 'gray' : 'red'} variant={suppressed ? 'light' : 'filled'}>
          {suppressed ? reason : 'firing'}
        </Badge>
        <Text size="sm" c="dimmed">
          since {ago(alert.startsAt)}
        </Text>
        {alert.generatorURL && <OuterLink url={alert.generatorURL} label="Source" />}
        {alert.annotations['runbook_url'] && (
          <OuterLink url={alert.annotations['runbook_url']} label="Runbook" />
        )}
        <Button
          ml="auto"
          size="compact-xs"
          variant="subtle"
          leftSection={<IconVolumeOff size={14} />}
          onClick={() =>
            void navigate(`/silences?labels=${encodeURIComponent(JSON.stringify(alert.labels))}`)
          }
        >
          Silence
        </Button>
      </Group>
      <Text size="sm" fw={600} className="wf-break">
        {alert.annotations['summary']}
      </Text>
      <Text size="sm" className="wf-break">
        {alert.annotations['description']}
      </Text>
      <Labels labels={alert.labels} />
    </Stack>
  )
}
