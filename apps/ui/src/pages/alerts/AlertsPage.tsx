// Alerting rules with what is pending and firing now.
import {
  Accordion,
  Badge,
  Group,
  SegmentedControl,
  Stack,
  Table,
  Text,
  TextInput,
  Title,
} from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { IconSearch } from '@tabler/icons-react'
import { useState, type ReactNode } from 'react'
import { apiGet } from '../../api/client.ts'
import { ago, formatSeconds } from '../../api/format.ts'
import type { ActiveAlert, AlertState, Rule, RuleGroup } from '../../api/types.ts'
import { Expression } from '../../components/Expression.tsx'
import { Labels } from '../../components/Labels.tsx'
import { OuterLink } from '../../components/OuterLink.tsx'
import { StateBadge } from '../../components/RuleHealth.tsx'
import { Empty, Failed, Loading } from '../../components/States.tsx'

const STATES: readonly AlertState[] = ['firing', 'pending', 'inactive', 'unknown']

export function AlertsPage(): ReactNode {
  const [state, setState] = useState<string>('all')
  const [words, setWords] = useState('')
  const { data, error } = useQuery({
    queryKey: ['rules', 'alert'],
    queryFn: ({ signal }) => apiGet<{ groups: RuleGroup[] }>('rules', { type: 'alert' }, { signal }),
    refetchInterval: 5000,
  })
  if (!data) return error ? <Failed error={error} /> : <Loading />
  const rules = data.data.groups.flatMap((group) => group.rules.map((rule) => ({ group, rule })))
  const count = (wanted: AlertState): number => rules.filter(({ rule }) => rule.state === wanted).length
  const shown = rules
    .filter(({ rule }) => state === 'all' || rule.state === state)
    .filter(({ rule }) =>
      JSON.stringify([rule.name, rule.labels, rule.alerts]).toLowerCase().includes(words.toLowerCase()),
    )
    .toSorted((a, b) => STATES.indexOf(a.rule.state ?? 'unknown') - STATES.indexOf(b.rule.state ?? 'unknown'))
  return (
    <Stack>
      {error && <Failed error={error} />}
      <Group justify="space-between">
        <Title order={1} size="h3">
          Alerts
        </Title>
        <Group>
          <SegmentedControl
            size="xs"
            value={state}
            onChange={setState}
            data={[
              { value: 'all', label: `All ${rules.length}` },
              ...STATES.slice(0, 3).map((s) => ({ value: s, label: `${s} ${count(s)}` })),
            ]}
          />
          <TextInput
            size="xs"
            w={220}
            placeholder="Filter by name or label"
            aria-label="Filter alerts"
            leftSection={<IconSearch size={14} />}
            value={words}
            onChange={(event) => setWords(event.currentTarget.value)}
          />
        </Group>
      </Group>
      {rules.length === 0 && (
        <Empty title="No alerting rules">Name rule files under rule_files in prometheus.yml.</Empty>
      )}
      {rules.length > 0 && shown.length === 0 && <Empty title="No alert matches the filter" />}
      <Accordion
        multiple
        variant="separated"
        defaultValue={shown.filter(({ rule }) => rule.state === 'firing').map(keyOf)}
      >
        {shown.map((entry) => (
          <Accordion.Item key={keyOf(entry)} value={keyOf(entry)} className="wf-panel">
            <Accordion.Control>
              <Group gap="sm">
                <StateBadge state={entry.rule.state ?? 'unknown'} count={entry.rule.alerts?.length ?? 0} />
                <Text fw={600}>{entry.rule.name}</Text>
                {entry.rule.health === 'err' && <Badge color="red">evaluation fails</Badge>}
                <Text size="xs" c="dimmed">
                  {entry.group.name}
                </Text>
              </Group>
            </Accordion.Control>
            <Accordion.Panel>
              <RuleDetails rule={entry.rule} />
            </Accordion.Panel>
          </Accordion.Item>
        ))}
      </Accordion>
    </Stack>
  )
}

const keyOf = ({ group, rule }: { group: RuleGroup; rule: Rule }): string =>
  `${group.file};${group.name};${rule.name};${rule.query}`

function RuleDetails({ rule }: { rule: Rule }): ReactNode {
  const { summary, description, runbook_url: runbook } = rule.annotations ?? {}
  return (
    <Stack gap="sm">
      <Expression expr={rule.query} />
      <Group gap="lg">
        {(rule.duration ?? 0) > 0 && <Text size="sm">for {formatSeconds(rule.duration!)}</Text>}
        {(rule.keepFiringFor ?? 0) > 0 && (
          <Text size="sm">keeps firing for {formatSeconds(rule.keepFiringFor!)}</Text>
        )}
        <Labels labels={rule.labels ?? {}} />
        {runbook !== undefined && <OuterLink url={runbook} label="Runbook" />}
      </Group>
      {rule.lastError && <Failed error={rule.lastError} title="The last evaluation failed" />}
      {(rule.alerts ?? []).length === 0 ? (
        <Text size="sm" c="dimmed" className="wf-break">
          {description ?? summary}
        </Text>
      ) : (
        <ActiveAlerts alerts={rule.alerts!} />
      )}
    </Stack>
  )
}

function ActiveAlerts({ alerts }: { alerts: readonly ActiveAlert[] }): ReactNode {
  return (
    <Table.ScrollContainer minWidth={600}>
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Labels</Table.Th>
            <Table.Th w={110}>State</Table.Th>
            <Table.Th w={130}>Active since</Table.Th>
            <Table.Th w={120}>Value</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {alerts.map((alert) => (
            <Table.Tr key={JSON.stringify(alert.labels)}>
              <Table.Td>
                <Labels labels={alert.labels} hide={['alertname']} />
                <Text size="sm" mt={4} className="wf-break">
                  {alert.annotations['description'] ?? alert.annotations['summary']}
                </Text>
              </Table.Td>
              <Table.Td>
                <StateBadge state={alert.state} />
              </Table.Td>
              <Table.Td>{alert.activeAt ? ago(alert.activeAt) : ''}</Table.Td>
              <Table.Td className="wf-mono">{Number(alert.value).toPrecision(5)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}
