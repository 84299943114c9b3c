package redrock

// Tables are the tables of the contract that the platform has data for, each a fresh copy that the caller may change before
// [NewCatalogue]. Columns, keys and values are those of the contract's table list.
func Tables() []Table {
	return []Table{userTable(), cloudUserTable(), directoryUserTable(), directoryGroupTable(), roleTable(), eventTable(), tenantTable(), setTable(), applicationTable(), dictionaryTable()}
}

// userTable is every user that the tenant has met.
func userTable() Table {
	return Table{Name: "User", Key: "ID", Alternate: "Username", Columns: []Column{
		{Name: "CloudState", Type: Text, Title: "Cloud State", Description: "State in the cloud directory"},
		{Name: "DirectoryServiceUuid", Type: Text, Title: "Directory Service Uuid", Description: "Directory that the user belongs to"},
		{Name: "DisplayName", Type: Text, Title: "Display Name", Description: "Name that people see"},
		{Name: "Email", Type: Text, Description: "Mail address"},
		{Name: "Forest", Type: Text, Description: "Forest of the directory"},
		{Name: "ID", Type: Text, Description: "Row Identifier (primary key)"},
		{Name: "LastInvite", Type: Time, Title: "Last Invite", Description: "When the user was last invited"},
		{Name: "LastLogin", Type: Time, Title: "Last Login", Description: "When the user last signed in"},
		{Name: "PhonePinLastChangeDate", Type: Time, Title: "Phone Pin Last Change Date", Description: "When the phone PIN was last changed"},
		{Name: "SearchEmail", Type: Text, Title: "Search Email", Description: "Mail address for searches"},
		{Name: "SecurityQuestionCount", Type: Integer, Title: "Security Question Count", Description: "Number of security questions answered"},
		{Name: "SecurityQuestionSet", Type: Bool, Title: "Security Question Set", Description: "Are security questions answered"},
		{Name: "ServiceUser", Type: Bool, Title: "Service User", Description: "Is this an account of a program"},
		{Name: "SourceDs", Type: Text, Title: "Source Ds", Description: "Short name of the directory"},
		{Name: "SourceDsInstance", Type: Text, Title: "Source Ds Instance", Description: "Directory"},
		{Name: "SourceDsLocalized", Type: Text, Title: "Source Ds Localized", Description: "Kind of the directory in words"},
		{Name: "SourceDsType", Type: Text, Title: "Source Ds Type", Description: "Kind of the directory: CDS, AdProxy, LdapProxy or FDS"},
		{Name: "Status", Type: Text, Description: "Status in words"},
		{Name: "StatusEnum", Type: Text, Title: "Status Enum", Description: "Created, Invited, Active or Suspended"},
		{Name: "Username", Type: Text, Filled: true, Description: "User name.", Fold: true},
		{Name: "UserType", Type: Text, Title: "User Type", Description: "Kind of user"},
		{Name: "RiskLevel", Type: Text, Title: "Risk Level", Description: "Risk of the user: Normal, Low, Medium, High, Unknown or SystemUnavailable"},
		{Name: "MobileNumber", Type: Text, Title: "Mobile Number", Description: "Mobile phone number"},
		{Name: "LoginName", Type: Text, Title: "Login Name", Description: "Name the user signs in with"},
	}}
}

// cloudUserTable is the built-in directory with its profiles.
func cloudUserTable() Table {
	return Table{Name: "CDUser", Key: "ID", Alternate: "Name", Columns: []Column{
		{Name: "ID", Type: Text, Description: "Row Identifier (primary key)"},
		{Name: "Name", Type: Text, Filled: true, Description: "Login name", Fold: true},
		{Name: "DisplayName", Type: Text, Title: "Display Name", Description: "Name that people see"},
		{Name: "Mail", Type: Text, Description: "Mail address"},
		{Name: "Description", Type: Text, Description: "Description"},
		{Name: "OfficeNumber", Type: Text, Title: "Office Number", Description: "Office phone number"},
		{Name: "MobileNumber", Type: Text, Title: "Mobile Number", Description: "Mobile phone number"},
		{Name: "HomeNumber", Type: Text, Title: "Home Number", Description: "Home phone number"},
		{Name: "ReportsTo", Type: Text, Title: "Reports To", Description: "Manager, or Unassigned"},
		{Name: "PictureUri", Type: Text, Title: "Picture Uri", Description: "Address of the picture"},
		{Name: "Enabled", Type: Bool, Description: "May the user sign in"},
		{Name: "Locked", Type: Bool, Description: "Is the user locked out"},
		{Name: "LockedByAdmin", Type: Bool, Title: "Locked By Admin", Description: "Did an administrator lock the user"},
		{Name: "InEverybodyRole", Type: Bool, Title: "In Everybody Role", Description: "Is the user in the role Everybody"},
	}}
}

// directoryUserTable is the users of all directories.
func directoryUserTable() Table {
	return Table{Name: "DSUsers", Key: "InternalName", Alternate: "SystemName", Foreign: map[string]string{"InternalName": "User"}, Columns: []Column{
		{Name: "InternalName", Type: Text, Title: "Internal Name", Description: "Row Identifier (primary key)"},
		{Name: "SystemName", Type: Text, Title: "System Name", Description: "Login name", Fold: true},
		{Name: "DisplayName", Type: Text, Title: "Display Name", Description: "Name that people see"},
		{Name: "Description", Type: Text},
		{Name: "Status", Type: Text, Description: "Status in words"},
		{Name: "StatusEnum", Type: Text, Title: "Status Enum", Description: "Created, Invited, Active or Suspended"},
		{Name: "Enabled", Type: Bool, Description: "May the user sign in"},
		{Name: "Locked", Type: Bool, Description: "Is the user locked out"},
		{Name: "Email", Type: Text, Description: "Mail address"},
		{Name: "ServiceInstance", Type: Text, Title: "Service Instance", Description: "Directory"},
		{Name: "ServiceInstanceLocalized", Type: Text, Title: "Service Instance Localized", Description: "Directory in words"},
		{Name: "ServiceType", Type: Text, Title: "Service Type", Description: "Kind of the directory: AdProxy, LdapProxy, CDS or FDS"},
		{Name: "DirectoryServiceUuid", Type: Text, Title: "Directory Service Uuid", Description: "Directory that the user belongs to"},
		{Name: "Forest", Type: Text, Description: "Forest of the directory"},
		{Name: "DistinguishedName", Type: Text, Title: "Distinguished Name", Description: "Distinguished name in the directory"},
		{Name: "ObjectType", Type: Text, Title: "Object Type", Description: "Kind of object"},
	}}
}

// directoryGroupTable is the groups of all directories.
func directoryGroupTable() Table {
	return Table{Name: "DSGroups", Key: "InternalName", Alternate: "SystemName", Columns: []Column{
		{Name: "InternalName", Type: Text, Title: "Internal Name", Description: "Row Identifier (primary key)"},
		{Name: "SystemName", Type: Text, Title: "System Name", Description: "Name of the group", Fold: true},
		{Name: "DisplayName", Type: Text, Title: "Display Name", Description: "Name that people see"},
		{Name: "Description", Type: Text},
		{Name: "ServiceInstance", Type: Text, Title: "Service Instance", Description: "Directory"},
		{Name: "ServiceInstanceLocalized", Type: Text, Title: "Service Instance Localized", Description: "Directory in words"},
		{Name: "ServiceType", Type: Text, Title: "Service Type", Description: "Kind of the directory"},
		{Name: "DirectoryServiceUuid", Type: Text, Title: "Directory Service Uuid", Description: "Directory that the group belongs to"},
		{Name: "Forest", Type: Text, Description: "Forest of the directory"},
	}}
}

// roleTable is the roles.
func roleTable() Table {
	return Table{Name: "Role", Key: "ID", Aliases: []string{"Roles"}, Alternate: "Name", Columns: []Column{
		{Name: "ID", Type: Text, Description: "Row Identifier (primary key)"},
		{Name: "Name", Type: Text, Filled: true, Description: "Name of the role"},
		{Name: "Description", Type: Text, Description: "Description of the role"},
		{Name: "RoleType", Type: Text, Title: "Role Type", Description: "PrincipalList, Everybody or Script"},
		{Name: "ReadOnly", Type: Bool, Title: "Read Only", Description: "Is the role built in"},
		{Name: "DirectoryServiceUuid", Type: Text, Title: "Directory Service Uuid", Description: "Directory of the role"},
	}}
}

// tenantTable is the tenant itself: one row. The contract knows its name and key only.
func tenantTable() Table {
	return Table{Name: "Tenant", Key: "ID", Columns: []Column{
		{Name: "ID", Type: Text, Description: "Row Identifier (primary key)"},
		{Name: "Name", Type: Text, Description: "Name of the tenant"},
	}}
}

// setTable is the sets of objects.
func setTable() Table {
	return Table{Name: "Sets", Key: "ID", Aliases: []string{"Collections"}, Alternate: "Name", Columns: []Column{
		{Name: "ID", Type: Text, Description: "Row Identifier (primary key)"},
		{Name: "Name", Type: Text, Filled: true, Description: "Name of the set"},
		{Name: "Description", Type: Text, Description: "Description of the set"},
		{Name: "ObjectType", Type: Text, Title: "Object Type", Filled: true, Description: "Type of the members"},
		{Name: "CollectionType", Type: Text, Title: "Collection Type", Filled: true, Description: "ManualBucket or SqlDynamic"},
		{Name: "WhenCreated", Type: Time, Title: "When Created", Description: "When the set was made"},
		{Name: "ParentPath", Type: Text, Title: "Parent Path", Description: "Folder of the set"},
	}}
}

// dictionaryTable lists every column of every table of the catalogue; the catalogue itself is its relation.
func dictionaryTable() Table {
	return Table{Name: "DataDictionary", Key: "ID", Dictionary: true, Columns: []Column{
		{Name: "ID", Type: Text, Description: "Row Identifier (primary key): table and column"},
		{Name: "TableName", Type: Text, Title: "Table Name", Description: "Table"},
		{Name: "ColumnName", Type: Text, Title: "Column Name", Description: "Column"},
		{Name: "Type", Type: Integer, Description: "Code of the type, as in the answer's Columns"},
		{Name: "Title", Type: Text, Description: "Name for people"},
		{Name: "Description", Type: Text, Description: "What the column holds"},
		{Name: "TableKey", Type: Text, Title: "Table Key", Description: "Primary, Alternate or NotAKey"},
		{Name: "ForeignKey", Type: Text, Title: "Foreign Key", Description: "Table whose key the column holds"},
	}}
}
