// All rule groups with the health of their rules.
import { Badge, Box, Group, Stack, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { apiGet } from '../../api/client.ts'
import { ago, formatSeconds } from '../../api/format.ts'
import type { RuleGroup } from '../../api/types.ts'
import { Expression } from '../../components/Expression.tsx'
import { Labels } from '../../components/Labels.tsx'
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
      <Title order={1} size="h3">
        Rules
      </Title>
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
          {group.rules.map((rule, i) => (
            <Group
              key={i}
              px="md"
              py="sm"
              align="flex-start"
              wrap="nowrap"
              style={{ borderTop: '1px solid light-dark(#eceff2, #2b313a)' }}
            >
              <Box w={64} style={{ flex: 'none' }}>
                <HealthBadge rule={rule} />
              </Box>
              <Stack gap={4} style={{ flex: 1, minWidth: 0 }}>
                <Group justify="space-between">
                  <Text size="sm" fw={600} className="wf-break">
                    {rule.type === 'alerting' ? 'alert: ' : 'record: '}
                    {rule.name}
                  </Text>
                  <Text size="xs" c="dimmed">
                    {formatSeconds(rule.evaluationTime)}
                  </Text>
                </Group>
                <Expression expr={rule.query} />
                {rule.labels && <Labels labels={rule.labels} />}
                {rule.lastError && <Failed error={rule.lastError} title="The last evaluation failed" />}
              </Stack>
            </Group>
          ))}
        </section>
      ))}
    </Stack>
  )
}
