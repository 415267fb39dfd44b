# A tag for the columns that say where a site lies: who may read them sees them, who may read the table sees nothing there, and no error.
resource "google_data_catalog_taxonomy" "farm" {
  project                = var.project
  region                 = lower(var.location)
  display_name           = "tinybeam"
  description            = "Columns of TinyBeam's tables that not everybody sees who may read them"
  activated_policy_types = ["FINE_GRAINED_ACCESS_CONTROL"]
}

resource "google_data_catalog_policy_tag" "position" {
  taxonomy     = google_data_catalog_taxonomy.farm.id
  display_name = "position"
  description  = "Where a site lies"
}

resource "google_bigquery_datapolicy_data_policy" "masked" {
  project          = var.project
  location         = lower(var.location)
  data_policy_id   = "tinybeam_position"
  policy_tag       = google_data_catalog_policy_tag.position.name
  data_policy_type = "DATA_MASKING_POLICY"

  data_masking_policy {
    predefined_expression = "ALWAYS_NULL"
  }
}

resource "google_data_catalog_policy_tag_iam_member" "position_readers" {
  for_each = var.readers

  policy_tag = google_data_catalog_policy_tag.position.name
  role       = "roles/datacatalog.categoryFineGrainedReader"
  member     = each.value
}

resource "google_bigquery_datapolicy_data_policy_iam_member" "masked_readers" {
  for_each = var.masked

  project        = var.project
  location       = google_bigquery_datapolicy_data_policy.masked.location
  data_policy_id = google_bigquery_datapolicy_data_policy.masked.data_policy_id
  role           = "roles/bigquerydatapolicy.maskedReader"
  member         = each.value
}
