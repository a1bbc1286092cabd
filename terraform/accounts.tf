# One account for each service, and one for whoever pushes events to it: a token for one service opens no other.
resource "google_service_account" "service" {
  for_each = local.services

  account_id   = "ab-${each.key}"
  display_name = "Agent Builder: ${each.key}"
}

resource "google_service_account" "push" {
  for_each = local.services

  account_id   = "ab-push-${each.key}"
  display_name = "Agent Builder: pushes events to ${each.key}, nothing else"
}

# Pub/Sub makes the tokens of the push accounts.
resource "google_service_account_iam_member" "push" {
  for_each = google_service_account.push

  service_account_id = each.value.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.agent.pubsub
}

# Traces and numbers: written, never read, and nobody else's.
resource "google_project_iam_member" "telemetry" {
  for_each = {
    for pair in setproduct(concat(tolist(local.services), ["executor-egress"]), ["tracesWriter", "metricsWriter"]) :
    "${pair[0]}-${pair[1]}" => { service = pair[0], role = "roles/telemetry.${pair[1]}" }
  }

  project = var.project
  role    = each.value.role
  member  = local.holders[each.value.service]
}

locals {
  # Who publishes under which name (`producers` of the events); the clock is Cloud Scheduler.
  publishers = merge(
    { for name, account in google_service_account.service : name => account.member },
    { clock = local.agent.scheduler },
  )
}
