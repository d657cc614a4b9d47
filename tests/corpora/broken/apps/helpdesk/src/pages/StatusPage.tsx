import { Loading } from '../components/Loading'
import { Message } from '../components/Message'
import { useApi } from '../lib/useApi'

/** How busy the desk is, also for visitors. */
export default function StatusPage() {
  const { data, error, loading } = useApi('GET /api/status')
  return (
    <section className="m-auto text-center">
      <h1 className="text-2xl font-semibold tracking-tight">Help desk</h1>
      <Message error={error?.message} />
      {loading && <Loading />}
      {data && <p className="mt-3 text-muted">{data.open} open tickets</p>}
    </section>
  )
}
