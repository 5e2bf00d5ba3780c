// Keeps every file of the page that was fetched once, and gives it back where there is no network.
const CACHE = 'fovea'

addEventListener('install', () => skipWaiting())
addEventListener('activate', event => event.waitUntil(clients.claim()))
addEventListener('fetch', event => {
  const { request } = event
  if (request.method !== 'GET' || !request.url.startsWith(registration.scope)) return
  event.respondWith(answer(request))
})

async function answer(request) {
  try {
    const response = await fetch(request)
    if (response.ok) await keep(request, response.clone())
    return response
  } catch (error) {
    const kept = await caches.match(request, { cacheName: CACHE }).catch(() => undefined)
    if (kept) return kept
    throw error
  }
}

// The page waits for it, so that it is ready to open without a network. Where there is no room, it goes on all the same.
async function keep(request, response) {
  try {
    const cache = await caches.open(CACHE)
    await cache.put(request, response)
  } catch {}
}
