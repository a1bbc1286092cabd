# One database for each service. IAM is for each database: its owner writes, the readers of docs/databases.json look in.
module "database" {
  source   = "./modules/database"
  for_each = local.databases

  name      = each.key
  project   = var.project
  location  = var.region
  protect   = var.protect
  indexes   = each.value.indexes
  unindexed = each.value.unindexed
  expiring  = each.value.expiring
  owner     = google_service_account.service[each.key].member
  readers   = { for name in each.value.readers : name => google_service_account.service[name].member }

  depends_on = [google_project_service.needed]
}
