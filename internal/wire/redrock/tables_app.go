package redrock

// applicationTable is the applications of the tenant.
func applicationTable() Table {
	text := func(name, title string) Column { return Column{Name: name, Type: Text, Title: title} }
	flag := func(name, title string) Column { return Column{Name: name, Type: Bool, Title: title} }
	return Table{Name: "Application", Key: "ID", Alternate: "Name", Columns: []Column{
		text("AdminTag", "Admin Tag"),
		{Name: "AppType", Type: Text, Title: "App Type", Filled: true, Description: "Web, Mobile or Desktop"},
		text("AppTypeDisplayName", "App Type Display Name"), text("Brand", "Brand"), text("CatalogVisibility", "Catalog Visibility"),
		{Name: "Category", Type: Text, Description: "Category of the template"},
		flag("CertBasedAuthEnabled", "Cert Based Auth Enabled"), text("ChildLinkedApps", "Child Linked Apps"), text("CorpIdentifier", "Corp Identifier"),
		text("DeepLinkUrl", "Deep Link Url"), flag("DerivedCredsSupported", "Derived Creds Supported"),
		{Name: "Description", Type: Text, Description: "Description of the application"},
		text("DesktopAppProgramName", "Desktop App Program Name"), text("DesktopAppRunAccountType", "Desktop App Run Account Type"),
		text("DesktopAppType", "Desktop App Type"),
		{Name: "DisplayName", Type: Text, Title: "Display Name", Description: "Name that people see"},
		flag("Featured", "Featured"), flag("Generic", "Generic"), text("Handler", "Handler"), text("Icon", "Icon"),
		{Name: "ID", Type: Text, Description: "Row Identifier (primary key)"},
		flag("IsGatewayed", "Is Gatewayed"), flag("IsMarketplaceApp", "Is Marketplace App"), flag("IsTestApp", "Is Test App"),
		text("LastUsedCentrifyUrl", "Last Used Centrify Url"), text("LastUsedPodUrl", "Last Used Pod Url"), text("MobileAppSource", "Mobile App Source"),
		text("MobileAppType", "Mobile App Type"), text("MunkiMetadata", "Munki Metadata"),
		{Name: "Name", Type: Text, Filled: true, Fold: true, Description: "Name of the application"},
		flag("NotSelfService", "Not Self Service"), flag("OnPrem", "On Prem"), text("ParentApp", "Parent App"),
		text("ParentAppTemplateName", "Parent App Template Name"), flag("Popular", "Popular"), flag("PortalApp", "Portal App"),
		flag("ProvCapable", "Prov Capable"), flag("ProvConfigured", "Prov Configured"), flag("ProvSettingEnabled", "Prov Setting Enabled"),
		flag("ProvSettingPreview", "Prov Setting Preview"),
		{Name: "ServiceName", Type: Text, Title: "Service Name", Description: "Application ID: the last segment of its OAuth endpoints"},
		text("ShadowAppLink", "Shadow App Link"),
		{Name: "State", Type: Text, Filled: true, Description: "Configured or Active"},
		{Name: "TemplateName", Type: Text, Title: "Template Name", Filled: true, Description: "Template that it was made from"},
		text("Version", "Version"), text("VersionName", "Version Name"),
		{Name: "WebAppType", Type: Text, Title: "Web App Type", Description: "Saml, OpenIDConnect, OAuth, Bookmark, UsernamePassword, ..."},
		text("WebAppTypeDisplayName", "Web App Type Display Name"), text("WebUPAppType", "Web UP App Type"), flag("WorkflowEnabled", "Workflow Enabled"),
		text("AdditionalField1", "Additional Field 1"), text("Audience", "Audience"), text("WebAppLoginType", "Web App Login Type"),
		flag("IsScaEnabled", "Is Sca Enabled"), flag("IsSwsEnabled", "Is Sws Enabled"),
	}}
}
