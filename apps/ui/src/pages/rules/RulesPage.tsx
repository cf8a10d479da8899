// All rule groups with the health of their rules.
import { Badge, Group, Stack, Table, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { apiGet } from '../../api/client.ts'
import { ago, formatSeconds } from '../../api/format.ts'
import type { RuleGroup } from '../../api/types.ts'
import { Expression } from '../../components/Expression.tsx'
import { HealthBadge } from '../../components/RuleHealth.tsx'
import { Empty, Failed, Loading } from '../../components/States.tsx'

export function RulesPage(): ReactNode {
  const { data, error } = useQuery({
    queryKey: ['rules'],
    queryFn: ({ signal }) => apiGet<{ groups: RuleGroup[] }>('rules', {}, { signal }),
    refetchInterval: 10_000,
  })
  if (!data) return error ? <Failed error={error} /> : <Loading />
  const { groups } = data.data
  return (
    <Stack>
      {error && <Failed error={error} />}
      <Title order={3}>Rules</Title>
      {groups.length === 0 && (
        <Empty title="No rules">Name rule files under rule_files in prometheus.yml.</Empty>
      )}
      {groups.map((group) => (
        <section key={group.file + group.name} className="wf-panel">
          <Group px="md" py="xs" gap="sm">
            <Text fw={600}>{group.name}</Text>
            <Text size="xs" c="dimmed" className="wf-break">
              {group.file}
            </Text>
            <Badge variant="light" ml="auto">
              every {formatSeconds(group.interval)}
            </Badge>
            <Text size="xs" c="dimmed">
              last run {ago(group.lastEvaluation)}, took {formatSeconds(group.evaluationTime)}
            </Text>
          </Group>
          <Table>
            <Table.Tbody>
              {group.rules.map((rule, i) => (
                <Table.Tr key={i}>
                  <Table.Td w={90} style={{ verticalAlign: 'top' }}>
                    <HealthBadge rule={rule} />
                  </Table.Td>
                  <Table.Td>
                    <Text size="sm" fw={600} mb={4} className="wf-break">
                      {rule.type === 'alerting' ? 'alert: ' : 'record: '}
                      {rule.name}
                    </Text>
                    <Expression expr={rule.query} />
                    {rule.lastError && <Failed error={rule.lastError} title="The last evaluation failed" />}
                  </Table.Td>
                  <Table.Td w={120} ta="right" style={{ verticalAlign: 'top' }}>
                    <Text size="xs" c="dimmed">
                      {formatSeconds(rule.evaluationTime)}
                    </Text>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </section>
      ))}
    </Stack>
  )
}
