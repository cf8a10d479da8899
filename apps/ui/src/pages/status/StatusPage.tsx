// Build, runtime, flags, head statistics and configuration of the server.
import { Code, SimpleGrid, Stack, Table, Tabs, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { apiGet } from '../../api/client.ts'
import { Failed, Loading } from '../../components/States.tsx'

interface Named {
  name: string
  value: number
}
interface TsdbStatus {
  headStats: Record<string, number>
  seriesCountByMetricName: Named[]
  labelValueCountByLabelName: Named[]
  memoryInBytesByLabelName: Named[]
  seriesCountByLabelValuePair: Named[]
}

export function StatusPage(): ReactNode {
  return (
    <Stack>
      <Title order={1} size="h3">
        Status
      </Title>
      <Tabs defaultValue="runtime" keepMounted={false}>
        <Tabs.List mb="md">
          <Tabs.Tab value="runtime">Runtime and build</Tabs.Tab>
          <Tabs.Tab value="tsdb">TSDB</Tabs.Tab>
          <Tabs.Tab value="config">Configuration</Tabs.Tab>
          <Tabs.Tab value="flags">Flags</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="runtime">
          <SimpleGrid cols={{ base: 1, md: 2 }}>
            <Facts path="status/runtimeinfo" title="Runtime" />
            <Facts path="status/buildinfo" title="Build" />
          </SimpleGrid>
        </Tabs.Panel>
        <Tabs.Panel value="tsdb">
          <Tsdb />
        </Tabs.Panel>
        <Tabs.Panel value="config">
          <Configuration />
        </Tabs.Panel>
        <Tabs.Panel value="flags">
          <Facts path="status/flags" title="Command-line flags" />
        </Tabs.Panel>
      </Tabs>
    </Stack>
  )
}

function Facts({ path, title }: { path: string; title: string }): ReactNode {
  const { data, error } = useQuery({ queryKey: [path], queryFn: () => apiGet<Record<string, unknown>>(path) })
  if (error) return <Failed error={error} />
  if (!data) return <Loading />
  return (
    <FactTable title={title} rows={Object.entries(data.data).map(([name, value]) => [name, String(value)])} />
  )
}

function FactTable({
  title,
  rows,
}: {
  title: string
  rows: readonly (readonly [string, string])[]
}): ReactNode {
  return (
    <section className="wf-panel">
      <Title order={5} px="md" py="xs">
        {title}
      </Title>
      <Table>
        <Table.Tbody>
          {rows.map(([name, value]) => (
            <Table.Tr key={name}>
              <Table.Td className="wf-break" w="50%">
                {name}
              </Table.Td>
              <Table.Td className="wf-mono wf-break">{value}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </section>
  )
}

function Configuration(): ReactNode {
  const { data, error } = useQuery({
    queryKey: ['config'],
    queryFn: () => apiGet<{ yaml: string }>('status/config'),
  })
  if (error) return <Failed error={error} />
  if (!data) return <Loading />
  return <Code block>{data.data.yaml}</Code>
}

function Tsdb(): ReactNode {
  const { data, error } = useQuery({ queryKey: ['tsdb'], queryFn: () => apiGet<TsdbStatus>('status/tsdb') })
  if (error) return <Failed error={error} />
  if (!data) return <Loading />
  const { headStats, ...tops } = data.data
  const named = (list: Named[] | undefined): [string, string][] =>
    (list ?? []).map((item) => [item.name, item.value.toLocaleString()])
  const time = (ms: number | undefined): string =>
    ms === undefined || Math.abs(ms) > 8e15 ? '–' : new Date(ms).toISOString()
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }}>
      <FactTable
        title="Head"
        rows={[
          ['Series', (headStats['numSeries'] ?? 0).toLocaleString()],
          ['Chunks', (headStats['chunkCount'] ?? 0).toLocaleString()],
          ['Label pairs', (headStats['numLabelPairs'] ?? 0).toLocaleString()],
          ['First sample', time(headStats['minTime'])],
          ['Last sample', time(headStats['maxTime'])],
        ]}
      />
      <FactTable title="Series by metric name" rows={named(tops.seriesCountByMetricName)} />
      <FactTable title="Label values by label name" rows={named(tops.labelValueCountByLabelName)} />
      <FactTable title="Bytes by label name" rows={named(tops.memoryInBytesByLabelName)} />
      <FactTable title="Series by label pair" rows={named(tops.seriesCountByLabelValuePair)} />
    </SimpleGrid>
  )
}
