// Scrape pools and their targets: what is up, what is not, and why.
import { Badge, Group, SegmentedControl, Stack, Table, Text, TextInput, Title, Tooltip } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { IconSearch } from '@tabler/icons-react'
import { useState, type ReactNode } from 'react'
import { apiGet } from '../../api/client.ts'
import { ago, formatSeconds } from '../../api/format.ts'
import type { Target, TargetsAnswer } from '../../api/types.ts'
import { Labels } from '../../components/Labels.tsx'
import { Empty, Failed, Loading } from '../../components/States.tsx'

const HEALTH_COLOR = { up: 'green', down: 'red', unknown: 'gray' } as const

export function TargetsPage(): ReactNode {
  const [health, setHealth] = useState('all')
  const [words, setWords] = useState('')
  const { data, error } = useQuery({
    queryKey: ['targets'],
    queryFn: ({ signal }) => apiGet<TargetsAnswer>('targets', { state: 'active' }, { signal }),
    refetchInterval: 5000,
  })
  if (!data) return error ? <Failed error={error} /> : <Loading />
  const all = data.data.activeTargets
  const shown = all.filter(
    (target) =>
      (health === 'all' || target.health === health) &&
      (words === '' ||
        JSON.stringify([target.labels, target.scrapeUrl, target.lastError])
          .toLowerCase()
          .includes(words.toLowerCase())),
  )
  const pools = new Map<string, Target[]>()
  for (const target of shown) pools.set(target.scrapePool, [...(pools.get(target.scrapePool) ?? []), target])
  const down = all.filter((target) => target.health === 'down').length
  return (
    <Stack>
      {error && <Failed error={error} />}
      <Group justify="space-between">
        <Title order={1} size="h3">
          Targets
        </Title>
        <Group>
          <SegmentedControl
            size="xs"
            value={health}
            onChange={setHealth}
            data={[
              { value: 'all', label: `All ${all.length}` },
              { value: 'up', label: `Up ${all.filter((target) => target.health === 'up').length}` },
              { value: 'down', label: `Down ${down}` },
              { value: 'unknown', label: 'Unknown' },
            ]}
          />
          <TextInput
            size="xs"
            w={260}
            placeholder="Filter by address, label, error"
            aria-label="Filter targets"
            leftSection={<IconSearch size={14} />}
            value={words}
            onChange={(event) => setWords(event.currentTarget.value)}
          />
        </Group>
      </Group>
      {all.length === 0 && (
        <Empty title="No targets">Add scrape_configs to prometheus.yml and reload the configuration.</Empty>
      )}
      {all.length > 0 && shown.length === 0 && <Empty title="No target matches the filter" />}
      {[...pools].map(([pool, targets]) => (
        <Pool key={pool} name={pool} targets={targets} />
      ))}
    </Stack>
  )
}

function Pool({ name, targets }: { name: string; targets: readonly Target[] }): ReactNode {
  const up = targets.filter((target) => target.health === 'up').length
  return (
    <section className="wf-panel">
      <Group px="md" py="xs" gap="sm">
        <Text fw={600}>{name}</Text>
        <Badge variant="light" color={up === targets.length ? 'green' : 'red'}>
          {up} / {targets.length} up
        </Badge>
      </Group>
      <Table.ScrollContainer minWidth={760}>
        <Table verticalSpacing={8} style={{ tableLayout: 'fixed' }}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th w="34%">Endpoint</Table.Th>
              <Table.Th w={90}>State</Table.Th>
              <Table.Th>Labels</Table.Th>
              <Table.Th w={140}>Last scrape</Table.Th>
              <Table.Th w={120}>Duration</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {targets.map((target) => (
              <Table.Tr key={target.scrapeUrl + JSON.stringify(target.labels)}>
                <Table.Td className="wf-break">
                  <a
                    href={/^https?:\/\//.test(target.globalUrl) ? target.globalUrl : undefined}
                    target="_blank"
                    rel="noreferrer"
                  >
                    {target.scrapeUrl}
                  </a>
                  {target.lastError !== '' && (
                    <Text size="xs" c="red" className="wf-break">
                      {target.lastError}
                    </Text>
                  )}
                </Table.Td>
                <Table.Td>
                  <Badge color={HEALTH_COLOR[target.health]} variant="light">
                    {target.health}
                  </Badge>
                </Table.Td>
                <Table.Td>
                  <Labels labels={target.labels} />
                </Table.Td>
                <Table.Td>{ago(target.lastScrape)}</Table.Td>
                <Table.Td>
                  <Tooltip label={`every ${target.scrapeInterval}, at most ${target.scrapeTimeout}`}>
                    <span>{formatSeconds(target.lastScrapeDuration)}</span>
                  </Tooltip>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </section>
  )
}
